"""Whatever a user or a machine causes is one clear line, with the exit code that says whose fault it is."""

from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.documents import parse_json, read_json, read_toml
from MedInpaintLib.errors import (
    Cancelled,
    InputError,
    MachineError,
    MissingDependencyError,
    OutputError,
    ParameterError,
    as_ours,
    in_one_line,
    is_fault,
)
from MedInpaintLib.evaluation import evaluate
from MedInpaintLib.files import check_path, real_path
from MedInpaintLib.job import guarded, main
from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.streams import emptied
from MedInpaintLib.texts import csv_cell, escaped


def caught(work) -> BaseException:
    """Return what ``work`` really raises."""
    try:
        work()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def system(number: int) -> OSError:
    return OSError(number, os.strerror(number), "file.nrrd")


def deep() -> None:
    return deep()


# The net


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        *((system(getattr(errno, name)), MachineError, 1) for name in ("ENOSPC", "EIO", "EMFILE", "EROFS", "EFBIG")),
        *(
            (system(getattr(errno, name)), InputError, 2)
            for name in ("ENOENT", "EACCES", "EISDIR", "ENAMETOOLONG", "ELOOP")
        ),
        (system(errno.ENOMEM), MachineError, 1),
        (MemoryError(), MachineError, 1),
        (caught(lambda: np.zeros(2**48)), MachineError, 1),
        (caught(lambda: np.zeros((2**40, 2**40))), MachineError, 1),
        (RuntimeError("std::bad_alloc"), MachineError, 1),
        (RuntimeError("Exception thrown in SimpleITK: Failed to allocate memory for image."), MachineError, 1),
        (caught(lambda: "\ud800".encode()), InputError, 2),
        (caught(lambda: b"\xff".decode()), InputError, 2),
        (caught(lambda: float(10**400)), InputError, 2),
        (caught(lambda: 1e300**2.0), InputError, 2),
        (caught(lambda: int("1" * 5000)), InputError, 2),
        (caught(lambda: os.stat("a\0b")), InputError, 2),
        (caught(lambda: json.loads("[" * 100_000)), InputError, 2),
        (ModuleNotFoundError("no", name="cupy"), MissingDependencyError, 1),
        (OutputError("full"), OutputError, 1),
        (ParameterError("wrong"), ParameterError, 2),
        (Cancelled("Cancelled."), Cancelled, 130),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, BaseException) else None,
)
def test_each_kind_of_error_is_one_line_with_its_exit_code(error, kind, code, capsys):
    def work():
        raise error

    events = []
    assert type(as_ours(error)) is kind
    assert guarded(work, events.append) == code
    (event,) = events
    assert len(event["message"].splitlines()) == 1
    assert "unexpected" not in event["message"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "error", [KeyError("x"), ValueError("x"), caught(deep), RuntimeError("x"), OSError("no number")]
)
def test_faults_of_the_program_stay_faults(error):
    assert as_ours(error) is None
    assert is_fault(error)
    assert "please report it" in in_one_line(error)


def test_messages_are_one_line_without_control_characters_and_long_words_are_cut():
    message = str(InputError(f"'a\n\x1b[31m\u202e{'x' * 5000}.nii' is wrong."))
    assert message.startswith(r"'a\n\x1b[31m\u202exxx")
    assert message.endswith("x.nii' is wrong.")
    assert len(message) < 300


# Output that takes no more


def test_where_standard_output_is_full_the_line_reaches_standard_error(capsys):
    def full(event):
        raise system(errno.ENOSPC)

    def work():
        full({})

    assert guarded(work, full) == 1
    assert capsys.readouterr().err == "Error: 'file.nrrd' cannot be used (No space left on device).\n"


@pytest.mark.parametrize(
    ("error", "words"), [(system(errno.ENOSPC), "Error: Standard output could"), (BrokenPipeError(), "")]
)
def test_a_last_flush_that_fails_is_no_traceback(monkeypatch, capsys, error, words):
    class Full:
        def flush(self):
            raise error

    monkeypatch.setattr(sys, "stdout", Full())
    assert emptied(lambda: 0) == 1
    assert capsys.readouterr().err.startswith(words)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", [["MedInpaintLib.cli", "methods"], ["MedInpaintLib.job", "nowhere.json"]])
def test_a_full_standard_output_of_a_process_is_exit_1_and_one_line(command):
    with open("/dev/full", "w") as full:  # opened, never replaced
        done = subprocess.run(
            [sys.executable, "-m", *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="locales of POSIX")
def test_a_c_locale_reads_and_writes_names_beyond_ascii(files):
    os.rename(files / "image.nrrd", files / "größe.nrrd")
    fields = {"job": "fill", "image": "größe.nrrd", "mask": "mask.nrrd", "output": "ö.nrrd", "method": "nearest"}
    (files / "job.json").write_text(json.dumps(fields), encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "MedInpaintLib.cli", "fill", "größe.nrrd", "mask.nrrd", "-o", "ö.nrrd"]
    done = subprocess.run(
        [*command, "--method", "nearest"], cwd=files, env={**os.environ, **plain}, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert (files / "ö.nrrd").is_file()


# Paths


@pytest.fixture
def files(tmp_path):
    image = mi.Volume(np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8), 1.0)
    hole = np.zeros(image.array.shape, np.uint8)
    hole[2:4, 2:4, 2:4] = 1
    image.write(tmp_path / "image.nrrd")
    image.with_array(hole).write(tmp_path / "mask.nrrd")
    return tmp_path


PATHS = {
    "NUL": "a\0b.nrrd",
    "not UTF-8": "a\udcffb.nrrd",
    "surrogate": "a\ud800b.nrrd",
    "long name": "a" * 300 + ".nrrd",
    "long path": "/".join(["a" * 200] * 30) + ".nrrd",
    "in a file": "image.nrrd/x.nrrd",
    "control": "a\x1b[31m\n.nrrd/b.nrrd",
}
FIELDS = {
    "fill": ("image", "mask", "output", "guides", "exemplars", "report", "uncertainty", "filled_mask", "page"),
    "evaluate": ("image", "output", "avoid", "holes"),
    "impute": ("images", "output", "like", "report"),
    "atlas-edges": ("image", "mask", "output"),
    "lesion-back": ("segmentation", "mask", "output", "report", "table", "names"),
}
JOBS = {
    "fill": {"image": "image.nrrd", "mask": "mask.nrrd", "output": "out.nrrd"},
    "evaluate": {"image": "image.nrrd", "holes": ["spheres:2px:1"], "methods": ["nearest"], "output": "out.csv"},
    "impute": {"images": {"T1": "image.nrrd"}, "target": "T2", "output": "out.nrrd"},
    "atlas-edges": {"image": "image.nrrd", "mask": "mask.nrrd", "output": "out.nrrd"},
    "lesion-back": {"segmentation": "image.nrrd", "mask": "mask.nrrd", "output": "out.nrrd"},
}


def outcome(files, capsys, text) -> tuple[int, str]:
    """Run a job file in this process; return the exit code and the one event's message."""
    (files / "job.json").write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    code = main([str(files / "job.json")])
    printed = capsys.readouterr()
    assert printed.err == ""
    event = json.loads(printed.out.splitlines()[-1])
    assert event["event"] == "error"
    assert len(event["message"].splitlines()) == 1
    return code, event["message"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("job", "field"), [(job, field) for job, fields in FIELDS.items() for field in fields])
def test_a_path_that_no_file_can_have_is_one_line_and_exit_2(files, capsys, job, field, path):
    if sys.platform == "win32" and path in ("not UTF-8", "control"):
        pytest.skip("names are UTF-16 there")
    value = PATHS[path]
    value = {"guides": [value], "holes": [value], "images": {"T1": value}}.get(field, value)
    before = sorted(os.listdir(files))
    code, message = outcome(files, capsys, {"job": job, **JOBS[job], field: value})
    assert code == 2, message
    assert "unexpected" not in message
    assert sorted(each for each in os.listdir(files) if each != "job.json") == before


def test_usual_paths_may_be_used(tmp_path):
    for name in ("größe 3.nii", "脳.nrrd", "a" * 200, "-x", "not there/at all"):
        check_path(tmp_path / name)
    assert real_path(tmp_path / "x") == tmp_path.resolve() / "x"


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC])
def test_what_the_file_system_refuses_names_the_file(monkeypatch, tmp_path, number):
    def refuse(path, *arguments, **keywords):
        raise OSError(number, os.strerror(number), str(path))

    (tmp_path / "MANIFEST.csv").write_text("path", encoding="utf-8")
    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(ParameterError, match=r"MANIFEST\.csv' cannot be read"):
        read_manifest(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_one_line(files, capsys):
    (files / "closed").mkdir(mode=0o000)
    code, _ = outcome(files, capsys, {"job": "fill", **JOBS["fill"], "image": "closed/image.nrrd"})
    assert code == 2


# Numbers and texts


@pytest.mark.parametrize(
    "number", ["1e999", "-1e999", "NaN", "Infinity", "1" + "0" * 400, "1" + "0" * 5000, '"x"', "[]", "null"]
)
@pytest.mark.parametrize("field", ["seed", "dilate_mm", "labels"])
def test_numbers_that_are_none_are_one_line(files, capsys, field, number):
    value = f"[{number}]" if field == "labels" else number
    text = json.dumps({"job": "fill", **JOBS["fill"]})[:-1] + f', "{field}": {value}}}'
    code, message = outcome(files, capsys, text)
    assert code == 2, message
    assert "unexpected" not in message
    assert len(message) < 400


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "[" * 70 + "]" * 70, '{"a": 1, "a": 2}', "", "\0" * 9, "{", '"\\ud800"']
)
def test_odd_json_is_one_line(files, capsys, text):
    assert outcome(files, capsys, text)[0] == 2


def test_a_job_in_another_encoding_or_of_another_size_is_refused(tmp_path):
    (tmp_path / "a.json").write_bytes('{"job": "fill"}'.encode("utf-16"))
    with pytest.raises(ParameterError, match="no text in UTF-8"):
        read_json(tmp_path / "a.json", "The job", ParameterError)
    (tmp_path / "b.json").write_bytes(b" " * 5_000_000)
    with pytest.raises(ParameterError, match="larger than 4 MB"):
        read_json(tmp_path / "b.json", "The job", ParameterError)


def test_usual_json_is_read_as_it_is():
    document = {"a": [1, 2.5, None, True, "ä"], "b": {"c": -(2**63)}}
    assert parse_json(json.dumps(document), "It", ParameterError) == document


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 100_000, "a = nan", "a = inf", "a = 1" + "0" * 400, "a = 1\na = 2", "=", "a.b" * 9000]
)
def test_odd_toml_is_one_line(tmp_path, text):
    (tmp_path / "recipe.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError) as refused:
        read_toml(tmp_path / "recipe.toml", "The recipe", ParameterError)
    assert str(refused.value).startswith("The recipe cannot be read as TOML")
    assert len(str(refused.value)) < 600


# Manifests

HEAD = "path,modality,contrast,subject_id,split"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no table"),
        (b"path,split\na,train\n", "has no column modality, contrast, subject_id"),
        (f"{HEAD}\n".encode() + b'"a.nii,MR,T1,s,train\n', "is no table"),
        (f"{HEAD}\na,b.nii,MR,T1,s,train\n".encode(), "6 cells for 5 columns"),
        (f"{HEAD}\na.nii,MR\n".encode(), "a row with no split"),
        (f"{HEAD}\n,MR,T1,s,train\n".encode(), "a row with no path"),
        (f"{HEAD}\na.nii,MR,T1,s,train\n".encode("utf-16"), "no text in UTF-8"),
        (bytes(range(256)), "no text in UTF-8"),
        (f"{HEAD}\n{'x' * 200_000},MR,T1,s,train\n".encode(), "is no table"),
    ],
)
def test_a_broken_manifest_is_one_line(tmp_path, content, words):
    (tmp_path / "MANIFEST.csv").write_bytes(content)
    with pytest.raises(ParameterError) as refused:
        read_manifest(tmp_path)
    assert words in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_manifest_with_blank_lines_quotes_and_cells_left_out_is_read(tmp_path):
    text = f'\ufeff{HEAD},licence\r\n"a, b.nii.gz",MR,T1,s1,train\r\n\r\nc.nii,CXR,film,s2,val,CC0\r\n'
    (tmp_path / "MANIFEST.csv").write_text(text, encoding="utf-8", newline="")
    first, second = read_manifest(tmp_path)
    assert (first.name, first.licence, second.modality, second.licence) == ("a, b", "", "film", "CC0")


# Names in texts and tables


@pytest.mark.parametrize("text", ["=1+1", "+x", "-x", "@x", " =x", "\uff1dx", "-1+1", "=\x1b[2J"])
def test_cells_cannot_be_formulas(text):
    assert csv_cell(text).startswith("'")


@pytest.mark.parametrize("value", [-1.5, "-1e-3", "+2", "inf", "-inf", "nan", 3, "plain", "a=b", ""])
def test_numbers_and_words_stay_as_they_are(value):
    assert csv_cell(value) == str(value)


def test_the_scores_of_a_fill_with_an_odd_name_are_a_harmless_table(tmp_path):
    image = np.arange(400.0).reshape(20, 20)
    table = evaluate(
        image, holes="spheres:5px:1", methods=[("=cmd()\n", {"method": "nearest"})], name="@bad\x1b[2J", modality="MR"
    )
    table.to_csv(tmp_path / "scores.csv")
    content = (tmp_path / "scores.csv").read_text(encoding="utf-8")
    assert "\x1b" not in content
    rows = list(csv.DictReader(content.splitlines()))
    assert rows[-1]["method"] == r"'=cmd()\n"
    assert rows[0]["data"] == r"'@bad\x1b[2J"


def test_words_of_all_scripts_stay_readable():
    for word in ("Größe", "نمونه\u200cها", "脳 1", "क्\u200dष", "3\u00a0mm ± 1"):
        assert escaped(word) == word


# Thin images and absurd grids

SHAPES = [(5, 3, 1), (1, 5, 3), (3, 3), (2, 2), (4, 4, 4), (2, 1, 2), (3, 9, 1), (2, 2, 2)]


@pytest.mark.parametrize(
    "method",
    ["harmonic", "biharmonic", "nearest", "shell-mean", "linear-z", "patch-regression", "patch", "mirror", "hybrid"],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_thin_images_are_filled_or_refused_in_one_line(shape, method):
    image = np.random.default_rng(0).integers(0, 1000, shape).astype(np.int16)
    middle = tuple(size // 2 for size in shape)
    holes = {"voxel": np.zeros(shape, bool), "row": np.zeros(shape, bool), "all but one": np.ones(shape, bool)}
    holes["voxel"][middle] = holes["row"][middle[:-1]] = True
    holes["all but one"][(0,) * len(shape)] = False
    for hole in holes.values():
        try:
            filled = mi.inpaint(image, hole, method=method).volume.array
        except InputError:
            continue  # whose message is one line
        np.testing.assert_array_equal(filled[~hole], image[~hole])


@pytest.mark.parametrize(
    "spacing", [(1e-6, 1, 1e6), (1e-300, 1, 1), (1, 1, 1e300), (1e-4, 1, 10), (0, 1, 1), (np.nan, 1, 1)]
)
def test_absurd_voxel_sizes_are_refused(spacing):
    with pytest.raises(InputError, match="spacing must be 3 positive numbers in mm"):
        mi.Volume(np.zeros((3, 3, 3)), spacing)


def test_voxels_of_a_microscope_and_of_thick_slices_are_not():
    mi.Volume(np.zeros((3, 3, 3)), (0.00025, 0.00025, 0.00025))
    mi.Volume(np.zeros((3, 3, 3)), (10.0, 0.4, 0.4))
