"""Holes as text."""

from __future__ import annotations

import pytest

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.holes import HINT, Blobs, Length, Lesions, Spheres, Squares, Strips, Strokes, grammar, is_spec, parse

MM, PX, SHARE = "mm", "px", "%"


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        ("spheres:20mm:6", Spheres(Length(20, MM), 6)),
        ("spheres:20.5mm", Spheres(Length(20.5, MM))),
        ("squares:32px:4", Squares(Length(32, PX), 4)),
        ("squares:32px:4:slab=5mm", Squares(Length(32, PX), 4, Length(5, MM))),
        ("squares:32px:slab=all", Squares(Length(32, PX), 1, "all")),
        ("strips:16px:2:horizontal", Strips(Length(16, PX), 2, "horizontal")),
        ("strips:16px:2", Strips(Length(16, PX), 2, "horizontal")),
        ("strips:4mm:both:slab=3px", Strips(Length(4, MM), 1, "both", Length(3, PX))),
        ("strips:1/16:4:mixed", Strips(Length(6.25, SHARE), 4, "mixed")),
        ("strokes:10-24px:4", Strokes(Length(10, PX), Length(24, PX), 4)),
        ("strokes:10px-24px:4", Strokes(Length(10, PX), Length(24, PX), 4)),
        ("strokes:3mm", Strokes(Length(3, MM), Length(3, MM))),
        ("strokes:1-2px:3:length=9mm:vertices=2", Strokes(Length(1, PX), Length(2, PX), 3, Length(9, MM), 2)),
        ("blobs:15mm:5", Blobs(Length(15, MM), 5)),
        ("lesions:12mm:5", Lesions(Length(12, MM), 5)),
        ("lesions:12mm:from=tumours.nii.gz", Lesions(Length(12, MM), 1, "tumours.nii.gz")),
        (r"lesions:12mm:2:from=C:\data\a=b.nrrd", Lesions(Length(12, MM), 2, r"C:\data\a=b.nrrd")),
        ("squares:12.5%:8", Squares(Length(12.5, SHARE), 8)),
        ("squares:1/8:8", Squares(Length(12.5, SHARE), 8)),
        ("strips:1/10:4:both:slab=5%", Strips(Length(10, SHARE), 4, "both", Length(5, SHARE))),
        ("strokes:1/25-1/10:length=40%", Strokes(Length(4, SHARE), Length(10, SHARE), 1, Length(40, SHARE))),
        ("strokes:4-10%", Strokes(Length(4, SHARE), Length(10, SHARE))),
        (" spheres:20mm:6 ", Spheres(Length(20, MM), 6)),
    ],
)
def test_a_description_means_its_shape(spec, shape):
    assert parse(spec) == shape


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("", "no shape ''"),
        ("cubes:3mm:2", "no shape 'cubes'"),
        ("spheres", "size is missing"),
        ("spheres:20", "'20' is not a length"),
        ("spheres:20cm", "'20cm' is not a length"),
        ("spheres:0mm", "'0mm' is not a length"),
        ("spheres:-5mm", "'-5mm' is not a length"),
        ("spheres:0%", "'0%' is not a length"),
        ("spheres:0/8", "'0/8' is not a length"),
        ("spheres:1/0", "'1/0' is not a length"),
        ("spheres:1/8mm", "'1/8mm' is not a length"),
        ("spheres:20mm:0", "'0' is not a number of things"),
        ("spheres:20mm:six", "no option 'six'"),
        ("spheres:20mm:6:slab=3px", "no option 'slab'"),
        ("squares:4px:2:slap=2px", "no option 'slap'"),
        ("squares:4px:2:slab=thick", "'thick' is not a length"),
        ("squares:4px:slab=2px:slab=3px", "'slab' is given twice"),
        ("strips:3px:2:both:vertical", "only one of vertical, both"),
        ("strips:3px:2:diagonal", "no option 'diagonal'"),
        ("strokes:24-10px", "thinnest-thickest"),
        ("strokes:3mm-10px", "thinnest-thickest"),
        ("strokes:3px-1/8", "thinnest-thickest"),
        ("lesions:9mm:from=", "after from= the file of a mask is missing"),
        ("lesions:9mm:slab=3px", "no option 'slab'"),
        ("blobs:9mm:from=mask.nii", "no option 'from'"),
        ("strokes:3px:vertices=0", "'0' is not a number of things"),
    ],
)
def test_a_wrong_description_is_refused_with_the_reason_in_one_line(spec, reason):
    with pytest.raises(ParameterError) as refused:
        parse(spec)
    (line,) = str(refused.value).splitlines()
    assert reason in line
    assert f"'{spec}'" in line
    assert line.endswith(HINT)


def test_the_grammar_names_every_shape_and_its_examples_can_be_parsed():
    text = grammar()
    for name in ("spheres", "squares", "strips", "strokes", "blobs", "lesions"):
        assert f"  {name}:" in text
    examples = [line.rpartition("e.g. ")[2] for line in text.splitlines() if "e.g. " in line]
    assert len(examples) == 6
    for example in examples:
        parse(example)


def test_descriptions_are_told_from_file_names():
    assert is_spec("spheres:nonsense")
    assert not is_spec("holes.nii.gz")
    assert not is_spec("C:\\data\\spheres.nii")
