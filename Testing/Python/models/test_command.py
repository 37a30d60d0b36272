"""``medinpaint models`` as a user meets it."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from MedInpaintLib.cli.app import app


def run(*arguments):
    return CliRunner().invoke(app, ["models", *(str(argument) for argument in arguments)])


def one_clear_line(result) -> str:
    """What was said on standard error, once it is one line without a traceback, and the exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


def test_without_models_the_list_says_how_to_add_one(places):
    result = run("list")
    assert result.exit_code == 0, result.output
    assert result.stdout == "There are no models; add one with: medinpaint models add PATH\n"


def test_the_list_has_a_line_for_each_model_and_each_broken_one(places, write):
    own, released = places
    own.mkdir(parents=True)
    write(released / "tiny")
    write(own / "mine", name="mine", architecture="latent", contrasts=["T2"])
    (own / "bad").mkdir()
    result = run("list")
    assert result.exit_code == 0, result.output
    mine, tiny, bad = result.stdout.splitlines()
    assert re.split("  +", mine) == ["mine", "latent", "T2", "96 x 96 mm", "0.0 MB", str(own / "mine")]
    assert re.split("  +", tiny) == ["tiny", "unet", "T1, FLAIR", "96 x 96 mm", "0.0 MB", "released"]
    assert bad.startswith("bad  broken: The folder")


def test_show_has_the_facts_the_scores_and_the_state_of_the_weights(places, tiny):
    run("add", tiny.folder)
    for name in ("tiny", tiny.folder):
        result = run("show", name)
        assert result.exit_code == 0, result.output
        for words in (
            "A tiny model (tiny)",
            "Architecture: unet (width=4)",
            "For: MR, T1, FLAIR",
            "Input: axial slices, 64 x 64 pixels of 1.5 mm, (scaled - 0.5) / 0.25",
            "Training: recipe tiny, 100 steps, seed 7",
            "Heads, 12 subjects, CC BY 4.0: Doe 2020; a|b",
            "Scores, protocol: val split, R = 1",
            "20 mm  23.46 ± 1.5  6",
            "float16",
            "not for clinical use",
            "Weights: intact",
        ):
            assert words in result.stdout


def test_show_tells_of_weights_that_are_not_intact_after_the_facts(places, tiny):
    data = bytearray(tiny.weights_path.read_bytes())
    data[-1] ^= 1
    tiny.weights_path.write_bytes(data)
    result = run("show", tiny.folder)
    assert "were altered" in one_clear_line(result)
    assert "A tiny model (tiny)" in result.stdout
    assert "intact" not in result.stdout


def test_models_are_added_replaced_and_removed(places, tiny):
    own, _ = places
    assert run("add", tiny.folder).stdout == f"Added tiny to {own}\n"
    assert "There is a model 'tiny'" in one_clear_line(run("add", tiny.folder))
    assert run("add", tiny.folder, "--replace").exit_code == 0
    assert run("remove", "tiny").stdout == "Removed tiny\n"
    assert not (own / "tiny").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "magic"], "no model 'magic'; the models are: tiny."),
        (["add", "nowhere"], "no folder or file 'nowhere'"),
        (["remove", "magic"], "no model 'magic' to remove"),
        (["remove", "tiny"], "comes with MedInpaint and cannot be removed"),
    ],
)
def test_wrong_input_is_one_clear_line_and_exit_code_2(places, write, arguments, words):
    write(places[1] / "tiny")
    assert words in one_clear_line(run(*arguments))


def test_without_a_subcommand_the_help_is_shown():
    assert all(name in run().output for name in ("list", "show", "add", "remove"))
