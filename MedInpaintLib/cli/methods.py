"""``medinpaint methods``: what there is to choose from."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from ..methods import auto, registry
from ..parameters import ParameterInfo
from .console import ProgressStyle, follow

# ruff: noqa: UP045


def methods(name: Annotated[Optional[str], typer.Argument(help="Show this method's parameters.")] = None) -> None:
    """List the methods, or show one with its parameters."""
    follow(lambda emit: typer.echo(_one(name) if name else _all()), ProgressStyle.none)


def _all() -> str:
    known = registry.methods()
    width = max(len(name) for name in known)
    lines = [f"{'auto':<{width}}  {auto.SUMMARY}"]
    lines += [f"{name:<{width}}  {info.summary}" for name, info in known.items()]
    return "\n".join(lines)


def _one(name: str) -> str:
    if name == "auto":
        return f"Automatic (auto)\n{auto.SUMMARY} It takes one of the other methods, with their default parameters."
    info = registry.get(name)
    lines = [f"{info.title} ({info.name}): {info.family}, {info.dimensions}", info.summary, info.trust, info.reference]
    if info.requires:
        lines.append(f"Needs: pip install {' '.join(info.requires)}")
    lines += [_parameter(parameter) for parameter in info.describe()]
    return "\n".join(lines)


def _parameter(info: ParameterInfo) -> str:
    bounds = f" {info.minimum:g}..{info.maximum:g}" if info.minimum is not None and info.maximum is not None else ""
    values = " " + "|".join(info.choices) if info.choices else bounds
    unit = f" {info.unit}" if info.unit else ""
    return f"  --set {info.name}={info.default}{unit} ({info.kind}{values}): {info.help}"
