"""Curves of trainings: numbers at the scale that the axes name, and a picture with a line for each network."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from MedInpaintLib.errors import InputError
from MedInpaintLib.training.loop import HISTORY
from Research.shared import curves
from Research.shared.curves import Point, draw_curves, read_curves, read_history, write_curves

image_module = pytest.importorskip("matplotlib.image")


def write_history(folder, half_width):
    """Write the history of a training whose error is the same in all pixels: 0.1, then 0.05 of the scaled range."""
    folder.mkdir()
    lines = [{"step": 50, "seconds": 1.0, "loss/rmse": 0.3}]
    for number, step in enumerate((100, 200)):
        error, start = 0.1 / 2**number, 0.2
        psnr = -20 * math.log10(error)
        scores = {"psnr": psnr, "gain": psnr + 20 * math.log10(start), "gain over what is corrected": 0.0}
        scores |= {"ssim": 0.6 + 0.1 * number, "rmse": error / half_width}
        scores |= {"start/ssim": 0.5, "start/rmse": start / half_width}
        lines.append({"step": step, **scores})
    (folder / HISTORY).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def test_rmse_and_psnr_are_at_one_range(tmp_path):
    """Where the error is the same in all pixels, PSNR is that of RMSE."""
    write_history(tmp_path / "run", 0.25)
    points = read_history(tmp_path / "run", 0.25)
    assert [point.step for point in points] == [100, 200]
    for point in points:
        assert point.psnr == pytest.approx(-20 * math.log10(point.rmse))
        assert point.start_psnr == pytest.approx(-20 * math.log10(point.start_rmse))


def test_a_history_without_ssim_is_refused(tmp_path):
    (tmp_path / HISTORY).write_text('{"step": 1, "psnr": 20.0, "gain": 1.0}\n', encoding="utf-8")
    with pytest.raises(InputError, match="without SSIM and RMSE"):
        read_history(tmp_path, 0.5)


def test_a_table_is_read_as_it_was_written(tmp_path):
    networks = {
        "1/8": [Point(100, 25.0, 1.5, 0.6, 0.05, 0.5, 0.0625)],
        "a, b": [Point(9, 20.0, -0.5, 0.7, 0.1, 0.6, 0.2)],
    }
    write_curves(tmp_path / "curves.csv.gz", networks)
    assert read_curves(tmp_path / "curves.csv.gz") == networks


@pytest.mark.parametrize("count", [1, 4, 11])
def test_every_network_has_a_line_of_its_own(tmp_path, monkeypatch, count):
    """And every set of holes a thin plate, in all three panels."""
    figures = []
    monkeypatch.setattr(curves, "write_figure", lambda figure, _: figures.append(figure))
    networks = {
        f"network {number}": [
            # Two networks in each set of holes; PSNR and gain are rounded, so their differences differ.
            Point(step, 20 + step / 100, 1 + number / 1e4, 0.5 + number / 100, 0.1, 0.4 + number // 2, 0.2)
            for step in (100, 200)
        ]
        for number in range(count)
    }
    draw_curves(networks, tmp_path / "c.webp")
    (figure,) = figures
    assert [axis.get_title() for axis in figure.axes] == ["SSIM", "PSNR at a range of 1, dB", "RMSE at a range of 1"]
    for axis in figure.axes:
        lines = [line for line in axis.get_lines() if line.get_linestyle() != "--"]
        looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}
        assert len(lines) == len(looks) == count
        assert len(axis.get_lines()) - len(lines) == math.ceil(count / 2)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [*networks, "thin plate"]


def test_nothing_is_cut_off(tmp_path):
    """The picture has a white rim, also with many networks of long names."""
    networks = {f"network with a long name {number}": [Point(100, 20, 1, 0.5, 0.1, 0.4, 0.2)] for number in range(11)}
    draw_curves(networks, tmp_path / "c.webp")
    picture = image_module.imread(tmp_path / "c.webp")[..., :3].astype(float)
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert rim.min() > 245
