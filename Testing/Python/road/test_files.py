"""Writing files: all of a set or nothing of it, whatever happens; and what killed runs left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import temporary
from MedInpaintLib.errors import OutputError, OutputPathError
from MedInpaintLib.files import as_json, replacing, replacing_all, sha256, write_json, write_text
from MedInpaintLib.temporary import remove_leftovers

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes, signals and devices as files are POSIX")
SHAPE = (3, 4, 5)


def ramp(start: int = 0) -> mi.Volume:
    return mi.Volume(np.arange(start, start + 60, dtype=np.int16).reshape(SHAPE), (2.0, 1.0, 1.0))


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# a set of files


def write_set(paths, text):
    with replacing_all(*paths) as new:
        for path in new:
            path.write_text(text)


def test_a_set_is_replaced_as_one(tmp_path):
    paths = [tmp_path / "a", tmp_path / "sub" / "b"]
    paths[1].parent.mkdir()
    for text in ("old", "new"):
        write_set(paths, text)
        assert [path.read_text() for path in paths] == [text, text]
    assert sorted(os.listdir(tmp_path)) == ["a", "sub"]


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_where_one_file_cannot_move_those_before_move_back(number, error, tmp_path, monkeypatch):
    paths = [tmp_path / name for name in ("a", "b", "c")]
    write_set(paths[:2], "old")
    before, calls, replace = contents(tmp_path), [], os.replace

    def failing(source, target):
        calls.append(source)
        if len(calls) == number:
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OutputError if isinstance(error, OSError) else KeyboardInterrupt):
        write_set(paths, "new")
    assert contents(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == len(before)


def test_an_error_while_writing_names_the_path_that_was_asked_for(tmp_path):
    def full(path):
        raise OSError(28, "No space left on device", str(path))

    expected = rf"^'{re.escape(str(tmp_path / 'b'))}' could not be written \(No space left on device\)\.$"
    with pytest.raises(OutputError, match=expected), replacing_all(tmp_path / "a", tmp_path / "b") as (_, second):
        full(second)
    assert list(tmp_path.iterdir()) == []


def test_files_move_in_the_order_of_the_paths_and_a_header_after_its_voxels(tmp_path, monkeypatch):
    order, replace = [], os.replace

    def listening(source, target):
        if target.parent == tmp_path:
            order.append(target.suffix)
        replace(source, target)

    monkeypatch.setattr(os, "replace", listening)
    with replacing_all(tmp_path / "image.mhd", tmp_path / "report.json") as (image, report):
        report.write_text("{}")
        ramp().write(image, compress=False)
    assert order == [".raw", ".mhd", ".json"]


@pytest.fixture
def fill():
    hole = np.zeros((12, 12, 12), np.uint8)
    hole[4:7, 4:7, 4:7] = 1
    image = np.random.default_rng(0).integers(0, 1000, hole.shape).astype(np.int16)
    return mi.inpaint(mi.Volume(image, 1.0), mi.Volume(hole, 1.0), method="harmonic", uncertainty=True)


@pytest.mark.parametrize("name", ["out.nrrd", "out.mhd"])
def test_the_report_names_the_hash_of_each_file_that_it_describes(name, fill, tmp_path):
    names = {"mask": "mask.nii.gz", "uncertainty": "spread.nrrd"}
    fill.save(tmp_path / name, tmp_path / "report.json", **{key: tmp_path / value for key, value in names.items()})
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["files"] == {
        path.name: sha256(path) for path in sorted(tmp_path.iterdir()) if path.name != "report.json"
    }
    assert {name, *names.values()} <= set(report["files"])
    np.testing.assert_array_equal(mi.Volume.read(tmp_path / "spread.nrrd").array, fill.uncertainty.array)


def test_a_fill_whose_last_image_cannot_be_written_leaves_all_old_files(fill, tmp_path, monkeypatch):
    paths = [tmp_path / name for name in ("out.nrrd", "report.json", "mask.nrrd")]
    fill.save(*paths)
    before, write = contents(tmp_path), mi.Volume.write

    def failing(self, path, **options):
        if path.name == "mask.nrrd":
            raise OSError(28, "No space left on device", str(path))
        write(self, path, **options)

    monkeypatch.setattr(mi.Volume, "write", failing)
    with pytest.raises(OutputError, match=r"mask\.nrrd' could not be written \(No space left on device\)"):
        fill.save(*paths)
    assert contents(tmp_path) == before


# headers with their voxels in a file beside


@pytest.mark.parametrize("ending", ["mhd", "nhdr"])
@pytest.mark.parametrize("compress", [False, True])
def test_new_voxels_have_a_new_name_and_the_old_ones_go_after_the_header(ending, compress, tmp_path):
    header = tmp_path / f"a.{ending}"
    ramp().write(header, compress=compress)
    first = contents(tmp_path)
    ramp().write(header, compress=compress)
    assert contents(tmp_path) == first  # same voxels, same files
    ramp(5).write(header, compress=compress)
    second = contents(tmp_path)
    assert len(second) == 2
    assert set(second) & set(first) == {header.name}
    np.testing.assert_array_equal(mi.Volume.read(header).array, ramp(5).array)


@pytest.mark.parametrize("ending", ["mhd", "nhdr"])
def test_a_kill_between_two_moves_leaves_the_old_image_or_the_new_one_whole(ending, tmp_path, monkeypatch):
    header = tmp_path / f"a.{ending}"
    replace, moves = os.replace, []

    def looking(source, target):
        replace(source, target)
        if target.parent == tmp_path:
            moves.append(mi.Volume.read(header).array[0, 0, 0])

    ramp().write(header)
    monkeypatch.setattr(os, "replace", looking)
    ramp(5).write(header)
    assert moves == [0, 5]


def test_voxels_that_another_header_names_stay(tmp_path):
    ramp().write(tmp_path / "a.mhd", compress=False)
    (tmp_path / "b.mhd").write_text((tmp_path / "a.mhd").read_text())
    ramp(5).write(tmp_path / "a.mhd", compress=False)
    assert mi.Volume.read(tmp_path / "b.mhd").array[0, 0, 0] == 0
    ramp(7).write(tmp_path / "b.mhd", compress=False)
    assert len(os.listdir(tmp_path)) == 4


def test_voxels_elsewhere_stay(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    ramp().write(tmp_path / "elsewhere" / "a.mhd", compress=False)
    (voxels,) = (tmp_path / "elsewhere").glob("*.raw")
    text = (tmp_path / "elsewhere" / "a.mhd").read_text().replace(voxels.name, f"elsewhere/{voxels.name}")
    (tmp_path / "a.mhd").write_text(text)
    ramp(5).write(tmp_path / "a.mhd", compress=False)
    assert voxels.is_file()


# modes and kinds


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_file_keeps_its_mode_and_a_new_one_has_the_usual_one(mode, tmp_path):
    umask = os.umask(0o027)
    try:
        for name in ("a.nrrd", "a.mhd", "b.json"):
            path = tmp_path / name
            write = (lambda path: write_text(path, "{}")) if name == "b.json" else ramp().write
            write(path)
            assert path.stat().st_mode & 0o777 == 0o640
            path.chmod(mode)
            write(path)
            assert path.stat().st_mode & 0o777 == mode
    finally:
        os.umask(umask)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only the administrator gives files away")
def test_a_file_keeps_its_owner(tmp_path):
    write_text(tmp_path / "a", "old")
    os.chown(tmp_path / "a", 12345, 23456)
    write_text(tmp_path / "a", "new")
    status = (tmp_path / "a").stat()
    assert (status.st_uid, status.st_gid) == (12345, 23456)


@posix
@pytest.mark.parametrize("path", ["/dev/null", "/dev/full", "pipe"])
def test_an_output_that_is_no_file_is_refused_by_its_kind(path, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    kind = "a named pipe" if path == "pipe" else "a device"
    with pytest.raises(OutputPathError, match=f"'{tmp_path / path}' is {kind}, which cannot be replaced"):
        write_text(tmp_path / path, "x")


# JSON


def test_what_is_not_finite_is_null(tmp_path):
    value = {"a": [float("nan"), (1.5, float("-inf"))], "b": {"c": float("inf"), "d": True, "e": None, "f": "NaN"}}
    write_json(tmp_path / "a.json", value)
    assert json.loads((tmp_path / "a.json").read_text()) == {
        "a": [None, [1.5, None]],
        "b": {"c": None, "d": True, "e": None, "f": "NaN"},
    }
    assert as_json(np.float64("nan")) == "null"


def test_a_report_with_nan_is_json(fill, tmp_path):
    fill.report["notes"]["scale"] = float("nan")
    fill.save(tmp_path / "a.nrrd", tmp_path / "report.json")
    text = (tmp_path / "report.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["notes"]["scale"] is None


# leftovers

WAITING = """
import sys, time
from pathlib import Path
from MedInpaintLib.files import replacing

with replacing(Path(sys.argv[1]) / "out.txt") as new:
    new.write_text("half")
    print("ready", flush=True)
    time.sleep(300)
"""


@pytest.fixture
def waiting(tmp_path):
    """Start a process that is writing to the folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WAITING), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def kill(process):
    process.kill()
    process.wait()


def test_what_a_killed_run_left_behind_is_removed_by_the_next(waiting, tmp_path):
    remove_leftovers(tmp_path)
    assert len(os.listdir(tmp_path)) == 1  # a running neighbour's is not touched
    kill(waiting)
    assert len(os.listdir(tmp_path)) == 1
    write_text(tmp_path / "a.txt", "x")
    assert os.listdir(tmp_path) == ["a.txt"]


def test_what_another_computer_left_behind_stays(waiting, tmp_path, monkeypatch):
    kill(waiting)
    monkeypatch.setattr(temporary.socket, "gethostname", lambda: "another")
    remove_leftovers(tmp_path)
    assert len(os.listdir(tmp_path)) == 1


def test_a_folder_of_that_name_without_a_lock_stays(tmp_path):
    (tmp_path / ".medinpaint-mine").mkdir()
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == [".medinpaint-mine"]


def test_a_run_leaves_its_own_folder_alone(tmp_path):
    with replacing(tmp_path / "a") as new:
        new.write_text("x")
        remove_leftovers(tmp_path)
        assert new.is_file()
    assert (tmp_path / "a").read_text() == "x"


def test_a_bundle_that_a_killed_run_had_moved_away_moves_back(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("years of work")
    script = f"""
        import os, signal
        from pathlib import Path
        from MedInpaintLib import temporary

        parent = Path({str(tmp_path)!r})
        with temporary.temporary_folder(parent) as folder:
            (folder / temporary.OLD).mkdir()
            os.rename(parent / "model", folder / temporary.OLD / "model")
            os.kill(os.getpid(), {int(getattr(signal, "SIGKILL", signal.SIGTERM))})
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=environment, check=False)
    assert not (tmp_path / "model").exists()
    remove_leftovers(tmp_path)
    assert (tmp_path / "model" / "weights").read_text() == "years of work"
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("ending", ["mhd", "nhdr"])
def test_voxels_that_were_not_written_with_the_old_header_stay(ending, tmp_path):
    slices = [tmp_path / f"slice{k}.raw" for k in range(SHAPE[0])]
    for path, plane in zip(slices, ramp().array, strict=True):
        path.write_bytes(plane.tobytes())
    listed = "\n".join(path.name for path in slices)
    meta = f"ObjectType = Image\nNDims = 3\nDimSize = 5 4 3\nElementType = MET_SHORT\nElementDataFile = LIST\n{listed}"
    nrrd = "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 4 3\nendian: little\nencoding: raw\n"
    text = {"mhd": meta, "nhdr": f"{nrrd}data file: LIST\n{listed}"}
    header = tmp_path / f"a.{ending}"
    header.write_text(text[ending] + "\n")
    np.testing.assert_array_equal(mi.Volume.read(header).array, ramp().array)
    ramp(5).write(header)
    assert all(path.is_file() for path in slices)
