"""Names, links, detached voxels, and outputs that would do harm."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .formats import DETACHED, SOME
from .kinds import Right, Trial, kind

NAMES = {
    "spaces": "an image (2) of  someone",
    "a line break": "two\nlines",
    "ESC": "red\x1b[31m",
    "letters of other scripts": "Schädel-頭部-голова",
    "accents apart": "e\u0301",
    "quotes": 'it\'s "here"',
    "a percent sign": "100%d",
    "a leading dot": ".image",
    "200 letters": "x" * 200,
    "240 letters": "y" * 240,
    "bytes that are no text": os.fsdecode(b"caf\xe9"),
}
WINDOWS = sys.platform == "win32"


@kind("name: {}", SOME, {} if WINDOWS else NAMES)
def names(trial: Trial, name: str) -> Right:
    """Name the image, the mask and the output so."""
    truth = trial.write()
    is_text = name.isprintable() or name.isascii()
    if trial.format.data == trial.format.image or trial.format.name == "dicom":
        trial.image = trial.image.rename(trial.folder / f"{name}{''.join(Path(trial.format.image).suffixes)}")
    else:
        folder = trial.folder / name
        folder.mkdir()
        shutil.move(trial.data, folder)
        trial.image = Path(shutil.move(trial.image, folder))
    trial.mask = trial.mask.rename(trial.folder / f"{name}.m.nrrd")
    trial.output = trial.folder / f"{name}.out{''.join(Path(trial.format.output).suffixes)}"
    if not is_text:
        return Right(refused="no text|rename")
    return Right(truth, same=not trial.image.is_dir())


@kind("name: of {}", ("nii.gz",), {"300 letters": "z" * 300 + ".nii.gz", "5000 letters": "z/" * 2500 + ".nii.gz"})
def too_long(trial: Trial, name: str) -> Right:
    trial.write()
    trial.image = trial.folder / name
    return Right(refused="long|no file|cannot be")


@kind("name of the output: of 300 letters", ("nii.gz",))
def too_long_output(trial: Trial) -> Right:
    trial.write()
    trial.output = trial.folder / ("z" * 300 + ".nii.gz")
    return Right(refused="long|name|cannot")


@kind("linked image", SOME)
def linked(trial: Trial) -> Right:
    truth = trial.write()
    elsewhere = trial.folder / "elsewhere"
    elsewhere.mkdir()
    for path in {trial.image, trial.data} if trial.format.name != "dicom" else {trial.image}:
        target = Path(shutil.move(path, elsewhere))
        path.symlink_to(target, target_is_directory=target.is_dir())
    return Right(truth)


@kind("a link to {}", ("nii.gz",), ["nothing", "itself"])
def dead_link(trial: Trial, what: str) -> Right:
    trial.write()
    trial.image.unlink()
    trial.image.symlink_to(trial.image if what == "itself" else trial.folder / "nothing")
    return Right(refused="no file|cannot be read|link")


@kind("read-only inputs", SOME)
def read_only(trial: Trial) -> Right:
    truth = trial.write()
    for path in (trial.data, trial.mask):
        path.chmod(0o444)
    return Right(truth)


@kind("unreadable image", ("nii.gz", "nrrd") if hasattr(os, "geteuid") and os.geteuid() else ())
def unreadable(trial: Trial) -> Right:
    trial.write()
    trial.image.chmod(0)
    return Right(refused="cannot be read|permission")


def _output_is(name: str, forms: tuple[str, ...], change: Callable[[Trial], object], message: str) -> None:
    @kind(f"output: {name}", forms)
    def output(trial: Trial) -> Right:
        trial.write()
        change(trial)
        return Right(refused=message)


OVERWRITES = "overwrite|input"
FILE_FORMATS = ("nii", "nii.gz", "mgz", "nrrd", "nhdr", "mha", "mhd", "png", "tif")


def _to(attribute: str, value: Callable[[Trial], Path]) -> Callable[[Trial], object]:
    return lambda trial: setattr(trial, attribute, value(trial))


def _link(make: Callable[[Path, Path], object]) -> Callable[[Trial], object]:
    return lambda trial: make(trial.output, trial.image)


_output_is("the image", FILE_FORMATS, _to("output", lambda trial: trial.image), OVERWRITES)
_output_is("the mask", FILE_FORMATS, _to("output", lambda trial: trial.mask), OVERWRITES)
_output_is("a link to the image", FILE_FORMATS, _link(lambda output, image: output.symlink_to(image)), OVERWRITES)
_output_is("the image by a hard link", FILE_FORMATS, _link(lambda output, image: os.link(image, output)), OVERWRITES)
_output_is(
    "the image by another path",
    FILE_FORMATS,
    _to("output", lambda trial: trial.folder / ".." / trial.folder.name / trial.image.name),
    OVERWRITES,
)
_output_is("in a folder that is not there", SOME, _to("output", lambda trial: trial.folder / "no" / "a.nii"), "folder")
_output_is("a folder", SOME, lambda trial: trial.output.mkdir(), "folder")
_output_is("without an ending", SOME, _to("output", lambda trial: trial.folder / "filled"), "format|end it")
_output_is("with an unknown ending", SOME, _to("output", lambda trial: trial.folder / "filled.xyz"), "format|end it")
_output_is("ending in capitals", SOME, _to("output", lambda trial: trial.folder / "filled.NII"), "lower case")
_output_is("as JPEG", SOME, _to("output", lambda trial: trial.folder / "filled.jpg"), "format|end it")
_output_is("a volume as PNG", SOME, _to("output", lambda trial: trial.folder / "filled.png"), "2-D")
_output_is("of int16 as MGH in a film", ("png",), _to("output", lambda trial: trial.folder / "a.mgz"), "3-D")
_output_is(
    "among the slices",
    ("dicom",),
    _to("output", lambda trial: trial.image / "filled.nrrd"),
    "lies in the folder of an input",
)
_output_is(
    "the report over the image",
    ("nii.gz", "mhd"),
    lambda trial: trial.options.extend(["--report", str(trial.data)]),
    OVERWRITES,
)
_output_is(
    "the report over the output",
    ("nii.gz",),
    lambda trial: trial.options.extend(["--report", str(trial.output)]),
    "both",
)
_output_is(
    "the mask of filled voxels over the mask",
    ("nii.gz",),
    lambda trial: trial.options.extend(["--save-mask", str(trial.mask)]),
    OVERWRITES,
)
if not WINDOWS:
    _output_is("a device", SOME, lambda trial: trial.output.symlink_to("/dev/full"), "regular file|device|no file")
    _output_is("/dev/null", ("nii.gz",), _to("output", lambda trial: Path("/dev/null")), "device")
    _output_is("a named pipe", SOME, lambda trial: os.mkfifo(trial.output), "regular file|pipe|no file")
    _output_is(
        "a report to a device",
        ("nii.gz",),
        lambda trial: trial.options.extend(["--report", "/dev/full"]),
        "regular file|device",
    )


@kind("output: the voxels of the image", DETACHED)
def output_over_data(trial: Trial) -> Right:
    """Name the output so that its voxels would take the name of the input's."""
    truth = trial.write()
    text = trial.image.read_text()
    data = trial.data.rename(trial.folder / trial.data.name.replace("image", "filled"))
    trial.image.write_text(text.replace(trial.data.name, data.name))
    return Right(truth, refused=OVERWRITES)


@kind("output: a file that is there", ("nii.gz", "mhd", "mhd zlib", "nhdr", "png"))
def replaced(trial: Trial) -> Right:
    truth = trial.write()
    trial.format.write(trial.output, np.zeros_like(truth))
    return Right(truth, replaced=True)


@kind("voxels in {}", DETACHED, ["no file", "a folder outside", "an absolute path outside", "a link to outside"])
def detached(trial: Trial, where: str) -> Right:
    truth = trial.write()
    name, text = trial.data.name, trial.image.read_text()
    inner, outer = trial.folder / "inner", trial.folder / "outer"
    inner.mkdir()
    outer.mkdir()
    trial.image = Path(shutil.move(trial.image, inner))
    shutil.move(trial.data, outer)
    if where == "a folder outside":
        trial.image.write_text(text.replace(name, f"../outer/{name}"))
    elif where == "an absolute path outside":
        trial.image.write_text(text.replace(name, str(outer / name)))
    elif where == "a link to outside":
        (inner / name).symlink_to(outer / name)
        return Right(truth, refused="outside")
    return Right(refused="outside|cannot be read|missing|no file")


@kind("voxels outside, with --allow-outside-data", DETACHED)
def allowed(trial: Trial) -> Right:
    truth = trial.write()
    inner = trial.folder / "inner"
    inner.mkdir()
    text = trial.image.read_text()
    trial.image = Path(shutil.move(trial.image, inner))
    trial.image.write_text(text.replace(trial.data.name, f"../{trial.data.name}"))
    trial.options.append("--allow-outside-data")
    return Right(truth)


@kind("voxels in the header's own file, named as detached", ("mhd", "nhdr"))
def of_itself(trial: Trial) -> Right:
    trial.write()
    trial.image.write_text(trial.image.read_text().replace(trial.data.name, trial.image.name))
    return Right(refused="cannot be read|damaged|cut off")


@kind("both halves named, the {} given", ("hdr/img",), ["voxels"])
def other_half(trial: Trial, _: str) -> Right:
    truth = trial.write()
    trial.image = trial.data
    return Right(truth, source=trial.folder / "image.hdr")


@kind("one half is missing", ("hdr/img",))
def half_a_pair(trial: Trial) -> Right:
    trial.write()
    trial.data.unlink()
    return Right(refused="half|missing")


@kind("a.nii beside a.nii.gz", ("nii.gz",))
def shadow(trial: Trial) -> Right:
    """Put another image beside it, which some readers take instead."""
    truth = trial.write()
    trial.format.write(trial.folder / "image.nii", np.full_like(truth, 3))
    return Right(truth)
