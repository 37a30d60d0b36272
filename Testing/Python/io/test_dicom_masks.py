"""Masks from DICOM: segmentations written by highdicom, contours compared with another rasteriser."""

from __future__ import annotations

import warnings

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from skimage.draw import polygon2mask

from MedInpaintLib import Volume, io
from MedInpaintLib.errors import ImageReadError
from MedInpaintLib.io.dicom.structures import enclosed
from MedInpaintLib.io.segments import Segments
from Testing.Python.dicom_files import OBLIQUE, STRAIGHT, save, write_series, write_structures

RNG = np.random.default_rng(0)


def marks(shape, *boxes) -> np.ndarray:
    """Bool voxels of each box, in the last axis."""
    out = np.zeros((*shape, len(boxes)), dtype=bool)
    for number, box in enumerate(boxes):
        out[(*box, number)] = RNG.random(out[(*box, number)].shape) > 0.3
    return out


BOXES = ((slice(2, 5), slice(3, 9), slice(4, 11)), (slice(4, 7), slice(6, 14), slice(2, 8)))


def write_segmentation(folder, path, pixels, kind="BINARY", names=("lesion", "edema")):
    sources = [pydicom.dcmread(file) for file in sorted(folder.glob("*.dcm"))]
    described = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=name,
            segmented_property_category=codes.cid7150.Tissue,
            segmented_property_type=codes.cid7166.ConnectiveTissue,
            algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number, name in enumerate(names, start=1)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        segmentation = highdicom.seg.Segmentation(
            source_images=sources,
            pixel_array=pixels,
            segmentation_type=kind,
            segment_descriptions=described,
            series_instance_uid=generate_uid(),
            series_number=9,
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer="Nobody",
            manufacturer_model_name="None",
            software_versions="1",
            device_serial_number="1",
            transfer_syntax_uid=ExplicitVRLittleEndian,
            omit_empty_frames=True,
        )
        segmentation.save_as(path)
    return segmentation


def full(segments: Segments, number: int) -> np.ndarray:
    (segment,) = (each for each in segments.segments if each.number == number)
    out = np.zeros(segments.grid.array.shape, dtype=bool)
    out[segment.box] = segment.voxels
    return out


@pytest.mark.parametrize("orientation", [STRAIGHT, OBLIQUE])
@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_a_segmentation_goes_where_its_frames_say(kind, orientation, tmp_path):
    write_series(tmp_path / "in", orientation=orientation)
    image = io.read(tmp_path / "in")
    # highdicom takes voxels in the order of the source files, which is the order of the slices here.
    pixels = marks(image.array.shape, *BOXES)
    given = pixels
    if kind == "LABELMAP":
        pixels[..., 1] &= ~pixels[..., 0]
        given = (pixels[..., 0] + 2 * pixels[..., 1]).astype(np.uint8)
    if kind == "FRACTIONAL":
        given = np.where(pixels, 0.75, 0.25) * pixels.any(axis=(1, 2))[:, None, None]
    write_segmentation(tmp_path / "in", tmp_path / "seg.dcm", given, kind)
    segments = io.read_mask(tmp_path / "seg.dcm", image)
    assert isinstance(segments, Segments)
    assert [(each.number, each.name) for each in segments.segments] == [(1, "lesion"), (2, "edema")]
    assert segments.grid.grid_difference(image) == ""
    for number in (1, 2):
        assert np.array_equal(full(segments, number), pixels[..., number - 1])
    assert any("fractions" in warning for warning in segments.warnings) == (kind == "FRACTIONAL")


def test_the_order_of_the_frames_does_not_matter(tmp_path):
    write_series(tmp_path / "in")
    image = io.read(tmp_path / "in")
    pixels = marks(image.array.shape, *BOXES)
    segmentation = write_segmentation(tmp_path / "in", tmp_path / "seg.dcm", pixels)
    ds = pydicom.dcmread(tmp_path / "seg.dcm")
    order = np.random.default_rng(1).permutation(ds.NumberOfFrames)
    frames = segmentation.pixel_array[order]
    ds.PerFrameFunctionalGroupsSequence = [ds.PerFrameFunctionalGroupsSequence[index] for index in order]
    ds.PixelData = pydicom.pixels.pack_bits(frames)
    ds.save_as(tmp_path / "seg.dcm")
    segments = io.read_mask(tmp_path / "seg.dcm", image)
    for number in (1, 2):
        assert np.array_equal(full(segments, number), pixels[..., number - 1])


def test_a_segmentation_of_another_grid_brings_its_own(tmp_path):
    write_series(tmp_path / "in")
    image = io.read(tmp_path / "in")
    pixels = marks(image.array.shape, *BOXES)
    write_segmentation(tmp_path / "in", tmp_path / "seg.dcm", pixels)
    coarse = Volume(image.array[:, ::2, ::2], (2.5, 1.6, 1.4), image.origin, image.direction)
    segments = io.read_mask(tmp_path / "seg.dcm", coarse)
    steps, start = segments.grid.ijk_to_lps()
    image_steps, image_start = image.ijk_to_lps()
    for number in (1, 2):
        here = np.argwhere(full(segments, number))[:, ::-1] @ steps.T + start
        there = np.argwhere(pixels[..., number - 1])[:, ::-1] @ image_steps.T + image_start
        np.testing.assert_allclose(here, there, atol=1e-6)


def test_a_segmentation_covers_missing_slices_too(tmp_path):
    write_series(tmp_path / "all")
    pixels = marks((8, 16, 14), *BOXES)
    write_segmentation(tmp_path / "all", tmp_path / "seg.dcm", pixels)
    write_series(tmp_path / "gap", skip=(3,))
    segments = io.read_mask(tmp_path / "seg.dcm", io.read(tmp_path / "gap", missing_slices=True))
    assert np.array_equal(full(segments, 1), pixels[..., 0])


def test_another_frame_of_reference_is_warned_of(tmp_path):
    write_series(tmp_path / "in")
    write_segmentation(tmp_path / "in", tmp_path / "seg.dcm", marks((8, 16, 14), *BOXES))
    write_structures(tmp_path / "structures.dcm", {"lesion": [square(3, 4.2)]})

    def elsewhere(ds, k):
        ds.FrameOfReferenceUID = "1.2.3.4.10"

    write_series(tmp_path / "other", change=elsewhere)
    for name in ("seg.dcm", "structures.dcm"):
        assert "another frame of reference" in io.read_mask(tmp_path / name, io.read(tmp_path / "other")).warnings[0]
        assert io.read_mask(tmp_path / name, io.read(tmp_path / "in")).warnings == ()


def test_a_folder_with_one_segmentation_is_that_mask(tmp_path):
    write_series(tmp_path / "in")
    (tmp_path / "seg").mkdir()
    write_segmentation(tmp_path / "in", tmp_path / "seg" / "1-1.dcm", marks((8, 16, 14), *BOXES))
    assert len(io.read_mask(tmp_path / "seg", io.read(tmp_path / "in")).segments) == 2


def test_a_dose_and_a_report_are_no_masks(tmp_path):
    write_series(tmp_path / "in", change=lambda ds, k: setattr(ds, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.481.2"))
    image = Volume(np.zeros((8, 16, 14)), 1.0)
    with pytest.raises(ImageReadError, match="a grid of radiation doses"):
        io.read_mask(tmp_path / "in" / "000.dcm", image)


def square(k: float, half: float, *, image: Volume | None = None, at: tuple[float, float] = (6.6, 7.3)) -> np.ndarray:
    """Corners of a square in a slice, mm."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half + at
    points = np.column_stack([corners, np.full(4, k)])
    spacing, origin = ((0.7, 0.8, 2.5), (-20.0, 10.5, -300.0))
    if image is not None:
        steps, start = image.ijk_to_lps()
        return points @ steps.T + start
    return points * spacing + origin


@pytest.mark.parametrize("seed", range(8))
def test_voxels_whose_centres_lie_inside_are_marked(seed):
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 17))
    radii = rng.uniform(2, 22, 17)
    star = np.column_stack([14.03 + radii * np.cos(angles), 11.07 + radii * np.sin(angles)])
    assert np.array_equal(enclosed([star], (24, 30)), polygon2mask((24, 30), star[:, ::-1]))


@pytest.mark.parametrize("orientation", [STRAIGHT, OBLIQUE])
def test_contours_become_voxels_and_inner_ones_holes(orientation, tmp_path):
    write_series(tmp_path / "in", orientation=orientation)
    image = io.read(tmp_path / "in")
    outer, inner = (square(3, half, image=image) for half in (4.25, 1.25))
    again = square(4, 4.25, image=image)
    write_structures(tmp_path / "s.dcm", {"lesion": [outer, inner, again, again], "other": [square(6, 2, image=image)]})
    segments = io.read_mask(tmp_path / "s.dcm", image)
    expected = np.zeros(image.array.shape, dtype=bool)
    j, i = np.indices(image.array.shape[1:])
    ring = np.maximum(abs(i - 6.6), abs(j - 7.3))
    expected[3], expected[4] = (ring < 4.25) & (ring > 1.25), ring < 4.25
    assert [each.name for each in segments.segments] == ["lesion", "other"]
    assert np.array_equal(full(segments, 1), expected)
    assert np.array_equal(full(segments, 2)[6], ring < 2)


def test_contours_off_the_slices_are_refused_by_name(tmp_path):
    write_series(tmp_path / "in")
    image = io.read(tmp_path / "in")
    tilted = square(3, 4) + np.array([[0, 0, 0], [0, 0, 0], [0, 0, 2.0], [0, 0, 2.0]])
    for points in (square(3.4, 4), tilted):
        write_structures(tmp_path / "s.dcm", {"lesion": [points]})
        with pytest.raises(ImageReadError, match=r"structure 'lesion' of 's.dcm' has a contour that lies .* mm off"):
            io.read_mask(tmp_path / "s.dcm", image)


def test_what_contours_leave_out_is_said(tmp_path):
    write_series(tmp_path / "in")
    image = io.read(tmp_path / "in")
    write_structures(tmp_path / "s.dcm", {"lesion": [square(1, 4), square(4, 4), square(11, 4)]})
    beyond, gaps = io.read_mask(tmp_path / "s.dcm", image).warnings
    assert "1 contours beyond the image's slices" in beyond
    assert "no contour in 2 slices between others" in gaps
    write_structures(tmp_path / "p.dcm", {"marker": [square(1, 4)]}, kind="POINT")
    segments = io.read_mask(tmp_path / "p.dcm", image)
    assert segments.segments == ()
    assert "enclose nothing (POINT)" in segments.warnings[0]


def test_a_frame_without_a_place_is_refused(tmp_path):
    write_series(tmp_path / "in")
    write_segmentation(tmp_path / "in", tmp_path / "seg.dcm", marks((8, 16, 14), *BOXES))
    ds = pydicom.dcmread(tmp_path / "seg.dcm")
    del ds.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence
    save(ds, tmp_path / "seg.dcm")
    with pytest.raises(ImageReadError, match=r"Frame 2 of '.*seg.dcm' does not say where it lies"):
        io.read_mask(tmp_path / "seg.dcm", io.read(tmp_path / "in"))
