"""``medinpaint models``: list, show, add and remove trained models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ..models import card, store
from ..models.bundle import Bundle
from .console import ProgressStyle, follow, say

models = typer.Typer(help="List, show, add and remove trained models.", no_args_is_help=True)


@models.command("list")
def list_models() -> None:
    """List the models, and those that are broken with the reason."""
    _follow(lambda: say(_all()))


@models.command()
def show(name: Annotated[str, typer.Argument(help="Name of a model, or its folder.")]) -> None:
    """Show one model: what it is for, its training data and scores, and whether its weights are intact."""
    _follow(lambda: _show(store.find(name)))


@models.command()
def add(
    path: Annotated[Path, typer.Argument(help="Folder with a model, or a .zip file with one.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace a model of the same name.")] = False,
) -> None:
    """Check a model and copy it to your own ones."""
    _follow(lambda: _added(store.add(path, replace=replace)))


@models.command()
def remove(name: Annotated[str, typer.Argument(help="Name of one of your own models.")]) -> None:
    """Delete one of your own models."""
    _follow(lambda: _removed(name))


def _follow(work: Callable[[], None]) -> None:
    follow(lambda emit: work(), ProgressStyle.none)


def _all() -> str:
    known, broken = store.models(), store.broken()
    rows = [_row(bundle) for bundle in known.values()]
    lines = _aligned(rows) + [f"{folder.name}  broken: {why}" for folder, why in broken.items()]
    return "\n".join(lines) or "There are no models; add one with: medinpaint models add PATH"


def _row(bundle: Bundle) -> list[str]:
    pixels, across = bundle.input["pixels"], bundle.input.get("across", 0)
    side = pixels * bundle.input["pixel_mm"]
    return [
        bundle.name,
        bundle.architecture,
        ", ".join(bundle.contrasts),
        f"{pixels} x {pixels} of {across} px" if across else f"{side:g} x {side:g} mm",
        f"{bundle.megabytes:.1f} MB",
        _place(bundle),
    ]


def _place(bundle: Bundle) -> str:
    return "released" if store.is_released(bundle) else str(bundle.folder)


def _show(bundle: Bundle) -> None:
    """Print the facts first, so that they can be read even where the weights are damaged."""
    say(_facts(bundle))
    bundle.verify()
    say("Weights: intact")


def _facts(bundle: Bundle) -> str:
    training, normalisation = bundle.training, bundle.normalisation
    arguments = ", ".join(f"{name}={value}" for name, value in bundle.arguments.items())
    lines = [
        f"{bundle.title} ({bundle.name})",
        f"Architecture: {bundle.architecture}{f' ({arguments})' if arguments else ''}",
        f"For: {bundle.modality}, {', '.join(bundle.contrasts)}",
        f"Input: {card.describe_input(bundle)}, "
        f"(scaled - {normalisation['centre']:g}) / {normalisation['half_width']:g}",
        f"Training: recipe {training['recipe']}, {training['steps']} steps, seed {training['seed']}",
        *(_source(row) for row in training["data"]),
        *(line for protocol, rows in card.score_tables(bundle) for line in _scores(protocol, rows)),
        f"Folder: {bundle.folder}",
        f"Size: {bundle.megabytes:.1f} MB, {bundle.weights_file['dtype']}",
        "Research software, not for clinical use.",
    ]
    return "\n".join(lines)


def _source(row: dict[str, str]) -> str:
    return f"  {row['dataset']}, {row['subjects']} subjects, {row['licence']}: {row['citation']}"


def _scores(protocol: str, rows: list[list[str]]) -> list[str]:
    return [f"Scores, protocol: {protocol}", *(f"  {line}" for line in _aligned(rows))]


def _aligned(rows: list[list[str]]) -> list[str]:
    """Format rows of equally many texts as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _added(bundle: Bundle) -> None:
    say(f"Added {bundle.name} to {bundle.folder.parent}")


def _removed(name: str) -> None:
    store.remove(name)
    say(f"Removed {name}")
