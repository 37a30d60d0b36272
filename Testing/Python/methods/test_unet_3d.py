"""Fill by a 3-D network that corrects the consensus."""

import dataclasses
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")

import MedInpaintLib as mi
from MedInpaintLib.errors import ModelError
from MedInpaintLib.models.bundle import read_bundle, write_bundle
from MedInpaintLib.models.card import describe_input
from MedInpaintLib.networks import build
from Testing.Python.atlas.heads import head

CENTRE = (20.0, -10.0, 30.0)


def filled(made, hole, **options):
    damaged = dataclasses.replace(made.volume, array=np.where(hole, 0, made.volume.array))
    return mi.inpaint(damaged, hole, modality="MR", **options)


@pytest.fixture(scope="module")
def made():
    return head(bend=2.0)


@pytest.fixture
def untrained(tiny_models, tmp_path):
    """A model that corrects nothing."""
    bundle = read_bundle(tiny_models / "a-tiny-unet-3d")
    fields = {field.name: getattr(bundle, field.name) for field in dataclasses.fields(bundle)}
    for name in ("folder", "format", "weights_file"):
        del fields[name]
    folder = tmp_path / "untrained"
    write_bundle(folder, **fields, tensors=build("unet-3d", bundle.arguments).state_dict())
    return str(folder)


def test_a_network_that_corrects_nothing_gives_the_consensus(made, untrained):
    hole = made.ball(CENTRE, 14.0)
    result = filled(made, hole, method="unet-3d", parameters={"model": untrained})
    consensus = filled(made, hole, method="consensus")
    np.testing.assert_allclose(result.volume.array, consensus.volume.array, atol=1e-5)
    assert result.report["parts"][0]["method"] == "unet-3d"


def test_a_network_that_adds_something_adds_it_in_the_hole_alone(made, tiny_models):
    hole = made.ball(CENTRE, 14.0)
    result = filled(made, hole, method="unet-3d")
    consensus = filled(made, hole, method="consensus")
    np.testing.assert_array_equal(result.volume.array[~hole], made.volume.array[~hole])
    assert not np.allclose(result.volume.array[hole], consensus.volume.array[hole], atol=1e-3)


def test_the_mirrored_head_is_filled_as_the_mirror_of_the_fill(made):
    hole = made.ball(CENTRE, 14.0)
    first = filled(made, hole, method="unet-3d")
    # Left and right change places in the array and in the header: the same head.
    direction = np.reshape(made.volume.direction, (3, 3)) * [-1, 1, 1]
    turned = dataclasses.replace(
        made.volume, array=np.ascontiguousarray(made.volume.array[..., ::-1]), direction=tuple(direction.ravel())
    )
    second = filled(dataclasses.replace(made, volume=turned), np.ascontiguousarray(hole[..., ::-1]), method="unet-3d")
    np.testing.assert_allclose(second.volume.array[..., ::-1], first.volume.array, atol=0.05)


def test_without_an_atlas_the_mirror_fills_and_the_report_says_so():
    image = np.random.default_rng(0).random((14, 14, 14)).astype(np.float32)
    hole = np.zeros(image.shape, dtype=bool)
    hole[5:8, 5:8, 5:8] = True
    result = mi.inpaint(image, hole, method="unet-3d", modality="MR")
    np.testing.assert_allclose(
        result.volume.array, mi.inpaint(image, hole, method="mirror", modality="MR").volume.array, rtol=1e-5
    )
    assert "there is no atlas: the image cannot show a head" in " ".join(result.report["warnings"])


def test_a_model_of_another_architecture_is_refused(made):
    with pytest.raises(ModelError, match="a-tiny-unet"):
        filled(made, made.ball(CENTRE, 14.0), method="unet-3d", parameters={"model": "a-tiny-unet"})


def test_a_copy_of_a_model_is_found_by_its_folder(made, tiny_models, tmp_path):
    folder = shutil.copytree(tiny_models / "a-tiny-unet-3d", tmp_path / "copy")
    hole = made.ball(CENTRE, 14.0)
    one, other = (filled(made, hole, method="unet-3d", parameters={"model": each}) for each in ("auto", str(folder)))
    np.testing.assert_array_equal(one.volume.array, other.volume.array)


def test_its_card_says_what_it_sees(tiny_models):
    bundle = read_bundle(tiny_models / "a-tiny-unet-3d")
    assert describe_input(bundle).startswith(
        "parts of volumes in voxels of 2 mm, 16 along each side in training: fills by"
    )
