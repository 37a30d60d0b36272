"""``medinpaint methods``: list the methods that can run, and those that need a trained model first."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from ..methods import auto, registry
from ..models.recipes import recipes
from ..parameters import ParameterInfo
from ..prediction import MethodInfo
from .console import ProgressStyle, follow, say

# ruff: noqa: UP045


def methods(name: Annotated[Optional[str], typer.Argument(help="Show this method's parameters.")] = None) -> None:
    """List the methods, or show one with its parameters."""
    follow(lambda emit: say(_one(name) if name else _all()), ProgressStyle.none)


def _all() -> str:
    known = registry.methods()
    width = max(len(name) for name in known)
    can_run = [f"{'auto':<{width}}  {auto.SUMMARY}"]
    packages, lacking = [], []
    for name, info in known.items():
        there = info.modalities()
        if info.missing():
            packages.append(f"{name:<{width}}  pip install {' '.join(info.missing())}")
        elif there or not info.architecture:
            can_run.append(f"{name:<{width}}  {info.summary}{_for(info, there)}")
        more = _recipes(info.architecture, there) if info.architecture else ""
        if info.architecture and (more or not there):
            lacking.append(f"{name:<{width}}  models for: {', '.join(there) or 'none'}; recipes: {more or 'none'}")
    blocks = {
        "": can_run,
        "\nNeeds packages that are not installed:\n": packages,
        "\nNeeds a trained model for other images ('medinpaint train RECIPE', 'medinpaint models add'):\n": lacking,
    }
    return "\n".join(title + "\n".join(lines) for title, lines in blocks.items() if lines)


def _for(info: MethodInfo, there: list[str]) -> str:
    """Return for which images a method has models; nothing for one that needs none."""
    return f" For {', '.join(there)}." if info.architecture else ""


def _recipes(architecture: str, there: list[str]) -> str:
    """Return the recipes for modalities without a model."""
    known = recipes(architecture)
    return ", ".join(f"{name} ({modality})" for name, modality in known.items() if modality not in there)


def _one(name: str) -> str:
    if name == "auto":
        return f"Automatic (auto)\n{auto.SUMMARY} It takes one of the other methods, with their default parameters."
    info = registry.get(name)
    lines = [f"{info.title} ({info.name}): {info.family}, {info.dimensions}", info.summary, info.trust, info.reference]
    if info.architecture:
        there = info.modalities()
        lines.append(f"Models for: {', '.join(there) or 'none'}")
        if more := _recipes(info.architecture, there):
            lines.append(f"Recipes for more ('medinpaint train RECIPE'): {more}")
    if info.requires:
        lines.append(f"Needs: pip install {' '.join(info.requires)}")
    lines += [_parameter(parameter) for parameter in info.describe()]
    return "\n".join(lines)


def _parameter(info: ParameterInfo) -> str:
    bounds = f" {info.minimum:g}..{info.maximum:g}" if info.minimum is not None and info.maximum is not None else ""
    values = " " + "|".join(info.choices) if info.choices else bounds
    unit = f" {info.unit}" if info.unit else ""
    return f"  --set {info.name}={info.default}{unit} ({info.kind}{values}): {info.help}"
