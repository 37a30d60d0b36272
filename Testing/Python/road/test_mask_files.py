"""Masks as files: drawings of paint programs, Slicer's segments, and names of labels."""

import gzip
import struct

import numpy as np
import pytest
import SimpleITK as sitk

import MedInpaintLib as mi
from MedInpaintLib.errors import ImageReadError, MaskError
from MedInpaintLib.inputs import read_mask
from MedInpaintLib.io import read
from MedInpaintLib.io.colors import drawing_of, grey_of
from MedInpaintLib.io.label_names import names_of
from MedInpaintLib.io.segments import Segments
from MedInpaintLib.mask import find_hole
from MedInpaintLib.volume import Volume

DISC = np.hypot(*(np.indices((40, 50)) - np.array([20, 25])[:, np.newaxis, np.newaxis])) <= 9.3
SOFT = np.clip(9.8 - np.hypot(*(np.indices((40, 50)) - np.array([20, 25])[:, np.newaxis, np.newaxis])), 0, 1)
FILM = Volume(np.random.default_rng(0).integers(0, 255, DISC.shape).astype(np.uint8), (1.0, 1.0))


def stack(*channels) -> np.ndarray:
    return np.stack([np.broadcast_to(np.asarray(each), DISC.shape) for each in channels], axis=-1).astype(np.uint8)


def hole_of(colors: np.ndarray, tmp_path, **options) -> tuple[np.ndarray, list[str]]:
    """Write an image in color and return the hole that it marks, and the warnings."""
    sitk.WriteImage(sitk.GetImageFromArray(colors, isVector=True), str(tmp_path / "mask.png"))
    mask = read_mask(tmp_path / "mask.png", FILM)
    hole, warnings = find_hole(mask, FILM, **options)
    return hole.full(), [*mask.warnings, *warnings]


WHITE, INK = SOFT * 255, np.round(SOFT * 255)
DRAWINGS = {
    "grey in color": stack(INK, INK, INK),
    "grey in color, opaque": stack(INK, INK, INK, 255),
    "grey in color, wholly transparent": stack(INK, INK, INK, 0),
    "white strokes on nothing": stack(255, 255, 255, INK),
    "black strokes on nothing": stack(0, 0, 0, INK),
    "red strokes on nothing": stack(255, 0, 0, INK),
    "red strokes on nothing, black where transparent": stack(255 * (INK > 0), 0, 0, INK),
    "red strokes on black": stack(INK, 0, 0),
    "olive strokes on black": stack(INK * 0.6, INK * 0.5, INK * 0.1),
    "red strokes on white": stack(255, 255 - INK, 255 - INK),
    "blue strokes on grey, opaque": stack(128 - INK / 2, 128 - INK / 2, 128 + INK / 2 - 1, 255),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_what_was_drawn_is_marked_whatever_the_colors(name, tmp_path):
    hole, warnings = hole_of(DRAWINGS[name], tmp_path)
    np.testing.assert_array_equal(hole, INK >= 128)
    assert len(warnings) == (0 if name.startswith("grey") else 1)
    assert all("drawn" in warning for warning in warnings)


def test_several_colors_are_labels_with_names(tmp_path):
    colors = stack(255 * DISC, 0, 0)
    colors[2:6, 2:6] = (0, 128, 255)
    with pytest.raises(MaskError, match=r"2 labels.*1 '#0080ff' \(16 voxels\), 2 '#ff0000'"):
        hole_of(colors, tmp_path)
    np.testing.assert_array_equal(hole_of(colors, tmp_path, labels=["#FF0000"])[0], DISC)
    assert hole_of(colors, tmp_path, labels=["all"])[0].sum() == DISC.sum() + 16


def test_a_photo_is_no_drawing(tmp_path):
    photo = np.random.default_rng(0).integers(0, 255, (*DISC.shape, 3)).astype(np.uint8)
    with pytest.raises(ImageReadError, match=r"3 values per voxel.*Paint the hole white"):
        hole_of(photo, tmp_path)
    assert drawing_of(photo) is None
    assert grey_of(photo) is None


def test_a_jpeg_in_color_is_read_as_drawn(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for color in ((255, 255, 255), (255, 0, 0)):
        drawn = DISC[..., np.newaxis] * np.array(color, np.uint8)
        image.fromarray(drawn).save(tmp_path / "mask.jpg", quality=85, subsampling=0)
        hole, _ = find_hole(read_mask(tmp_path / "mask.jpg", FILM), FILM)
        assert np.count_nonzero(hole.full() != DISC) <= 0.02 * DISC.sum()


def test_palette_images_are_read_as_their_colors(tmp_path):
    image = pytest.importorskip("PIL.Image")
    indexed = image.fromarray((DISC * 7).astype(np.uint8), "P")
    palette = np.zeros((256, 3), np.uint8)
    palette[7] = 200
    indexed.putpalette(palette.tobytes())
    indexed.save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read(tmp_path / "grey.png").array, DISC * 200)
    np.testing.assert_array_equal(find_hole(read_mask(tmp_path / "grey.png", FILM), FILM)[0].full(), DISC)


# segments


def segmentation(path, layers: np.ndarray, segments: list[dict]) -> None:
    """Write a .seg.nrrd file as Slicer does: layers first, and a few fields for each segment."""
    fields = "".join(f"Segment{n}_{key}:={value}\n" for n, about in enumerate(segments) for key, value in about.items())
    sizes = " ".join(map(str, layers.shape[::-1]))
    several = layers.ndim == 4
    header = (
        f"NRRD0004\ntype: uint8\ndimension: {layers.ndim}\nspace: left-posterior-superior\nsizes: {sizes}\n"
        f"space directions: {'none ' if several else ''}(1,0,0) (0,1,0) (0,0,2)\n"
        f"kinds: {'list ' if several else ''}domain domain domain\n"
        f"encoding: raw\nspace origin: (1,2,3)\nSegmentation_MasterRepresentation:=Binary labelmap\n{fields}\n"
    )
    path.write_bytes(header.encode() + np.ascontiguousarray(layers, np.uint8).tobytes())


def about(name, label, layer):
    return {"ID": f"id_{name}", "Name": name, "LabelValue": label, "Layer": layer}


GRID = Volume(np.zeros((4, 6, 8), np.int16), (2.0, 1.0, 1.0), origin=(1.0, 2.0, 3.0))


def test_segments_that_overlap_keep_their_voxels(tmp_path):
    layers = np.zeros((4, 6, 8, 2), np.uint8)
    layers[1:3, 1:5, 1:5, 0] = 1
    layers[1:3, 3:5, 3:7, 1] = 1
    layers[0, 0, 0, 1] = 2
    path = tmp_path / "mask.seg.nrrd"
    segmentation(path, layers, [about("Tumor", 1, 0), about("Edema", 1, 1), about("Point", 2, 1)])
    with pytest.raises(MaskError, match=r"1 'Tumor' \(32 voxels\), 2 'Edema' \(16 voxels\), 3 'Point' \(1 voxels\)"):
        mi.inpaint(GRID, path)
    for name, layer, label in (("tumor", 0, 1), ("edema", 1, 1), ("Point", 1, 2)):
        result = mi.inpaint(GRID, path, labels=[name], method="nearest")
        np.testing.assert_array_equal(result.hole.full(), layers[..., layer] == label)
        assert result.report["mask"]["kind"] == "segments"
        assert name.lower() in result.report["mask"]["rule"].lower()
    result = mi.inpaint(GRID, path, labels=["Tumor", 2], method="nearest")
    np.testing.assert_array_equal(result.hole.full(), (layers == 1).any(axis=-1))


def test_segments_of_one_layer_keep_their_label_numbers(tmp_path):
    labels = np.zeros((4, 6, 8), np.uint8)
    labels[1, 1, 1:4], labels[2, 2, 2] = 5, 9
    segmentation(tmp_path / "mask.seg.nrrd", labels, [about("A", 5, 0), about("B", 9, 0)])
    mask = read_mask(tmp_path / "mask.seg.nrrd", GRID)
    assert isinstance(mask, Segments)
    assert GRID.grid_difference(mask.grid) == ""
    np.testing.assert_array_equal(find_hole(mask, GRID, labels=[5])[0].full(), labels == 5)
    np.testing.assert_array_equal(find_hole(mask, GRID, labels=["b"])[0].full(), labels == 9)


def test_the_only_segment_needs_no_label_and_an_empty_one_is_named_so(tmp_path):
    labels = np.zeros((4, 6, 8), np.uint8)
    segmentation(tmp_path / "empty.seg.nrrd", labels, [about("A", 1, 0)])
    with pytest.raises(MaskError, match="is empty"):
        find_hole(read_mask(tmp_path / "empty.seg.nrrd", GRID), GRID)
    labels[1, 1, 1] = 1
    segmentation(tmp_path / "one.seg.nrrd", labels, [about("A", 1, 0), about("Nothing", 2, 0)])
    assert find_hole(read_mask(tmp_path / "one.seg.nrrd", GRID), GRID)[0].count() == 1
    segmentation(tmp_path / "wrong.seg.nrrd", labels, [about("A", 1, 3)])
    with pytest.raises(ImageReadError, match="segment 0 has a wrong label or layer"):
        read_mask(tmp_path / "wrong.seg.nrrd", GRID)


# names of labels


TABLE = """#No. Label Name: R G B A

0 Unknown 0 0 0 0
4 Left-Lateral-Ventricle 120 18 134 0
17 Left-Hippocampus 220 216 20 0
"""


def label_map(path) -> np.ndarray:
    labels = np.zeros((4, 6, 8), np.uint8)
    labels[1, 1:3, 1:4], labels[2, 2:4, 2] = 4, 17
    GRID.with_array(labels).write(path)
    return labels


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("aseg.ctab", TABLE),
        ("aseg.txt", TABLE),
        ("FreeSurferColorLUT.txt", TABLE),
        ("aseg.ctbl", TABLE.replace("Left-Hippocampus", '"Left-Hippocampus"')),
        ("aseg.tsv", "index\tname\tcolor\n4\tventricle\t#ff0000\n17\tleft-hippocampus\t\n"),
    ],
)
def test_labels_have_the_names_of_a_table_beside_the_file(tmp_path, table, text):
    labels = label_map(tmp_path / "aseg.nii.gz")
    (tmp_path / table).write_text(text)
    result = mi.inpaint(GRID, tmp_path / "aseg.nii.gz", labels=["Left-hippocampus"], method="nearest")
    np.testing.assert_array_equal(result.hole.full(), labels == 17)
    with pytest.raises(MaskError, match="17 'left-hippocampus'".replace("l", "[lL]").replace("h", "[hH]")):
        mi.inpaint(GRID, tmp_path / "aseg.nii.gz")


def test_the_table_of_freesurfer_names_the_labels_of_its_own_files_only(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "FreeSurferColorLUT.txt").write_text(TABLE)
    monkeypatch.setenv("FREESURFER_HOME", str(tmp_path / "home"))
    assert names_of(tmp_path / "aseg.nii.gz")[17] == "Left-Hippocampus"
    assert names_of(tmp_path / "lesions.nii.gz") == {}


def test_notes_beside_a_mask_are_no_table(tmp_path):
    (tmp_path / "mask.txt").write_text("Drawn on 3 May 2024 by A. B.\n17 lesions 1 2\n")
    (tmp_path / "mask.tsv").write_bytes(b"\xff\xfe\x00")
    assert names_of(tmp_path / "mask.nii.gz") == {}


def mgz(path, table: bytes, *, before: bytes = b"") -> None:
    """Write an MGZ file with tags after the voxels."""
    head = struct.pack(">7i", 1, 2, 2, 2, 1, 0, 0).ljust(284, b"\0")
    path.write_bytes(gzip.compress(head + bytes(8) + bytes(20) + before + table))


def text(name: str) -> bytes:
    return struct.pack(">i", len(name) + 1) + name.encode() + b"\0"


def test_the_color_table_in_an_mgz_file_is_read(tmp_path):
    entries = {4: "Left-Lateral-Ventricle", 17: "Left-Hippocampus"}
    rows = b"".join(struct.pack(">i", n) + text(name) + struct.pack(">4i", 1, 2, 3, 0) for n, name in entries.items())
    table = struct.pack(">3i", 1, -2, 18) + text("lut.txt") + struct.pack(">i", 2) + rows
    transform = struct.pack(">iq", 31, 5) + b"a.xfm"
    mgz(tmp_path / "new.mgz", table, before=transform)
    assert names_of(tmp_path / "new.mgz") == entries
    old = struct.pack(">2i", 1, 2) + text("lut.txt") + text("Unknown") + bytes(16) + text("Lesion") + bytes(16)
    mgz(tmp_path / "old.mgz", old)
    assert names_of(tmp_path / "old.mgz") == {0: "Unknown", 1: "Lesion"}
    for length in range(0, len(table), 7):  # a damaged table is no reason to refuse a mask
        mgz(tmp_path / "cut.mgz", table[:length], before=transform)
        assert names_of(tmp_path / "cut.mgz") == {}
