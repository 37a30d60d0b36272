"""The segmenter of lesions: its loss and labels, and what a short training finds."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch
from scipy import ndimage

from MedInpaintLib.volume import Volume
from Research.contrasts import segmenter
from Research.contrasts.segmenter import LesionUNet, SegmenterTask, dice, labelled
from Research.contrasts.sessions import read_sessions


def test_dice_is_that_of_sets():
    rng = np.random.default_rng(0)
    for share in (0.1, 0.5):
        a, b = (rng.random((5, 6, 7)) < share for _ in range(2))
        first, second = ({*map(tuple, np.argwhere(each))} for each in (a, b))
        assert dice(a, b) == pytest.approx(2 * len(first & second) / (len(first) + len(second)))
        assert (dice(a, a), dice(a, ~a)) == (1, 0)
    nothing = np.zeros((2, 2), dtype=bool)
    assert (dice(nothing, nothing), dice(nothing, ~nothing)) == (1, 0)


def test_the_loss_is_that_of_loops():
    torch.manual_seed(0)
    network = LesionUNet(pixels=16, width=4, levels=2).double()
    batch = torch.rand(3, 2, 16, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ((name, loss, _),) = SegmenterTask(network).losses([batch, torch.ones(3, 2) > 0], 0, torch.Generator())
    with torch.no_grad():
        shares = (1 / (1 + (-network(batch[:, :1])).exp())).flatten().tolist()
    labels = [1.0 if value > 0.5 else 0.0 for value in batch[:, 1].flatten().tolist()]
    entropy = -np.mean([np.log(p if label else 1 - p) for p, label in zip(shares, labels, strict=True)])
    overlap = 2 * sum(p * label for p, label in zip(shares, labels, strict=True)) / (sum(shares) + sum(labels))
    assert name == "network"
    assert loss.item() == pytest.approx(entropy + 1 - overlap, rel=1e-9)


def test_a_segmenter_is_validated_by_its_dice_in_the_brain_over_all_slices_together():
    label = torch.zeros(2, 1, 10, 10)
    label[0, 0, 0, :3] = 1  # the second slice has none
    inside = torch.ones(2, 1, 10, 10, dtype=torch.bool)
    inside[:, :, 9] = False
    nothing = torch.zeros_like(label)
    trial = segmenter.LabelTrial(nothing, inside, label, inside, nothing, "")
    assert trial.psnr(nothing) == 0
    found = torch.where(inside, 0.4, 0.9)
    found[0, 0, 0, 1:3] = found[1, 0, 5, 5] = 0.6
    assert trial.psnr(found) == pytest.approx(-10 * np.log10(1 - 2 * 2 / (3 + 3)))
    assert trial.psnr(label) == pytest.approx(80)


@torch.no_grad()
def test_slices_may_have_any_size_and_go_on_with_no_signal():
    torch.manual_seed(0)
    network = LesionUNet(pixels=16, width=4, levels=3).eval()
    image = torch.rand(1, 1, 61, 66)
    found = network(image)
    assert found.shape == image.shape
    larger = torch.nn.functional.pad(image, (0, 2, 0, 3))
    torch.testing.assert_close(network(larger)[..., :61, :66], found)  # zeros are what it pads with


def head(seed):
    """T1, T2 and FLAIR of one head; bright lesions in the last one, and a dark spot as large as one of them."""
    k, j, i = np.ogrid[-1:1:8j, -1:1:60j, -1:1:56j]
    inside = k**2 + j**2 + i**2 < 0.9
    rng = np.random.default_rng(seed)
    tissue = 500 + 25 * ndimage.gaussian_filter(rng.normal(size=(8, 60, 56)), 1) / 0.1
    lesion = np.zeros((8, 60, 56), dtype=bool)
    lesion[2:6, 20 + seed : 27 + seed, 22:30] = True
    lesion[3:6, 38:43, 30 - seed : 36 - seed] = True
    flair = np.where(lesion, 1000.0, tissue)
    flair[3:6, 28:34, 33:38] = 250
    images = {"t1": tissue, "t2": 800 - tissue, "flair": flair}
    made = {name: np.where(inside, each, 0).astype(np.int16) for name, each in images.items()}
    return made | {"lesion": lesion.astype(np.uint8)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two people to learn from, one of whom has a mask; one for validation, and one to test on."""
    folder = tmp_path_factory.mktemp("data")
    rows = [["path", "modality", "contrast", "subject_id", "split"]]
    for seed, (subject, split) in enumerate((("a", "train"), ("b", "train"), ("c", "val"), ("d", "test"))):
        (folder / subject).mkdir()
        for name, array in head(seed).items():
            if name == "lesion" and subject != "b":
                continue
            path = f"{subject}/{name}.nii.gz"
            Volume(array, (3.0, 1.0, 1.0)).write(folder / path)
            rows.append([path, "MR", "MASK-lesion" if name == "lesion" else name.upper(), subject, split])
    with (folder / "MANIFEST.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


def test_labels_are_masks_and_where_there_is_none_what_is_bright(data):
    a, b = read_sessions(data, "train")
    other = np.zeros(b.inside.shape, dtype=bool)
    other[3:5, 10:20, 10:20] = True
    slices = labelled([a, b], {"b": other})
    for person, expected in (("a", head(0)["lesion"] > 0), ("b", other)):
        own = [each for each in slices if each.subject == person]
        count = (read_sessions(data, "train")[0].inside.sum(axis=(1, 2)) >= segmenter.LEAST_PIXELS).sum()
        assert len(own) == count > 3
        labels = sum(int((each.values[1] > 0.5).sum()) for each in own)
        assert labels == expected.sum(), person
    first = slices[len(slices) // 4]
    assert first.values.shape == (2, *first.inside.shape)
    assert first.values[0].max() < 2


def test_a_short_training_finds_lesions_in_a_head_it_has_not_seen_and_is_kept(data, tmp_path, monkeypatch):
    monkeypatch.setattr(segmenter, "_arguments", lambda: {"pixels": 48, "width": 4, "levels": 2})
    trained = segmenter.segmenter(data, tmp_path, steps=200)
    (session,) = read_sessions(data, "test")
    flair, lesion = session.scaled["FLAIR"], head(3)["lesion"] > 0
    assert dice(trained.lesions(flair, session), lesion) > 0.8
    without = np.where(lesion, np.float32(0.25), flair)
    assert trained.lesions(without, session).sum() < 0.1 * lesion.sum()
    assert not (trained.lesions(np.ones_like(flair), session) & ~session.inside).any()
    assert (trained.facts["people by mask"], trained.facts["people by rule"]) == (1, 1)
    assert trained.facts["rule against mask"] == [1.0]
    monkeypatch.setattr(segmenter, "train", lambda *_, **__: pytest.fail("trained again"))
    again = segmenter.segmenter(data, tmp_path, steps=200)
    assert (again.identity, again.facts) == (trained.identity, trained.facts)
