"""The list of mutations fits the engine, and the script that tries them tells caught ones from others."""

from __future__ import annotations

from pathlib import Path

import pytest

from Testing import mutations
from Testing.mutations import Mutation, main, mutated, problems, read

ALL = read(mutations.LIST.read_text(encoding="utf-8"))
TESTS = ("Testing/Python/test_double.py",)


def test_every_line_that_is_to_be_broken_is_there_once_and_its_tests_are_there():
    assert problems(ALL) == []
    assert len(ALL) == len({each.what for each in ALL}) == len({(each.file, each.before, each.after) for each in ALL})


def test_a_broken_line_is_still_python():
    """Else the tests would fail whatever they test."""
    for mutation in ALL:
        original = (mutations.REPOSITORY / mutation.file).read_text(encoding="utf-8")
        broken = mutated(original, mutation)
        assert broken != original, mutation.what
        compile(broken, mutation.what, "exec")


def test_an_entry_has_four_lines():
    what = "twice\ndouble.py test_a.py test_b.py\n- 2 *\n+"
    expected = Mutation(
        "twice", "MedInpaintLib/double.py", "2 *", "", ("Testing/Python/test_a.py", "Testing/Python/test_b.py")
    )
    assert read(f"# how to write them\n\n{what}\n\n# a remark\n{what}\n") == [expected, expected]
    with pytest.raises(ValueError, match="an entry has four lines"):
        read(f"{what}\n+ 3 *")


@pytest.fixture
def repository(tmp_path) -> Path:
    """An engine of two lines, of which a test knows one."""
    for name in ("MedInpaintLib", "Testing/Python"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "MedInpaintLib/__init__.py").touch()
    (tmp_path / "MedInpaintLib/double.py").write_text("TWO = 2\nTHREE = 3\n")
    (tmp_path / TESTS[0]).write_text(
        "from MedInpaintLib.double import TWO\n\n\ndef test_two():\n    assert TWO == 1 + 1\n"
    )
    return tmp_path


def entry(before: str, after: str, tests=TESTS) -> Mutation:
    return Mutation(f"{before} is {after}", "MedInpaintLib/double.py", before, after, tests)


def test_what_is_caught_and_what_survives_is_told_and_nothing_is_changed(repository, capsys):
    before = {path: path.read_bytes() for path in repository.rglob("*.py")}
    caught, survivor, broken = (
        entry("TWO = 2", "TWO = 3", (f"{TESTS[0]}::test_two",)),
        entry("THREE = 3", "THREE = 4"),
        entry("THREE = 3", "!"),
    )
    assert main([], repository, [caught, survivor, broken]) == 1
    output, errors = capsys.readouterr()
    assert "| TWO = 2 is TWO = 3 | double.py | caught | test_two |" in output
    assert "| THREE = 3 is THREE = 4 | double.py | survived |" in output
    assert "| THREE = 3 is ! | double.py | pytest ended with code" in output
    assert "3 mutations, 1 caught." in output
    assert "THREE = 3 is THREE = 4" in errors
    assert main(["TWO"], repository, [caught, survivor, broken]) == 0
    assert {path: path.read_bytes() for path in repository.rglob("*.py")} == before


def test_tests_that_fail_by_themselves_prove_nothing(repository, capsys):
    (repository / TESTS[0]).write_text("def test_two():\n    assert False\n")
    assert main([], repository, [entry("TWO = 2", "TWO = 3")]) == 2
    assert f"Without any mutation the tests fail, too ({TESTS[0]}::test_two)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "mutation", "message"),
    [
        ([], entry("FOUR", "FIVE"), "double.py must contain 'FOUR' exactly once; found 0 times."),
        ([], entry(" = ", " = -"), "double.py must contain ' = ' exactly once; found 2 times."),
        ([], entry("TWO", "SIX", ()), "names no test"),
        ([], entry("TWO", "SIX", ("Testing/Python/test_six.py",)), "There is no Testing/Python/test_six.py"),
        ([], entry("TWO", "SIX", (f"{TESTS[0]}::test_six",)), "There is no Testing/Python/test_double.py::test_six"),
        (["seven"], entry("TWO", "SIX"), "No mutation contains seven"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_runs(words, mutation, message, repository, capsys):
    assert main(words, repository, [mutation]) == 2
    assert message in capsys.readouterr().err


def test_when_it_is_stopped_its_tests_end_and_its_copies_are_removed(repository, tmp_path_factory, monkeypatch, capsys):
    """Ctrl-C while a test waits for ever."""
    folder = tmp_path_factory.mktemp("copies")
    monkeypatch.setattr(mutations.tempfile, "tempdir", str(folder))
    (repository / TESTS[0]).write_text("import time\n\n\ndef test_two():\n    time.sleep(1000)\n")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(mutations, "as_completed", interrupt)
    assert main([], repository, [entry("TWO = 2", "TWO = 3")]) == 130
    assert "Stopped." in capsys.readouterr().err
    assert not list(folder.iterdir())
