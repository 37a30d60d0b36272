"""The model card of a bundle: its README.md, made from the bundle's fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..modality import MODALITIES, Modality
from ..networks import ESTIMATES, REFINES, has_purpose

if TYPE_CHECKING:
    from .bundle import Bundle


def card(bundle: Bundle, method: str | None = None) -> str:
    """Return the model card as Markdown, with an example for ``method``, or how to find one that uses the model."""
    parts = [
        f"# {bundle.title}",
        _what_it_is(bundle),
        "## Input",
        _input(bundle),
        "## Training data",
        _training(bundle),
        "## Scores",
        _scores(bundle),
        "## How to use",
        _use(bundle, method),
        "## Limits",
        _limits(bundle),
    ]
    return "\n\n".join(parts) + "\n"


def describe_input(bundle: Bundle) -> str:
    """Describe the input in a few words: planes, pixels and their size, and the other inputs."""
    size, slices = bundle.input, bundle.arguments.get("slices", 1)
    if has_purpose(bundle.architecture, REFINES):
        return (
            f"parts of volumes in voxels of {size['pixel_mm']:g} mm, {size['pixels']} along each side in training: "
            "fills by the surroundings, the other side and the average head, its tissue maps, and the place in the head"
        )
    planes = ", ".join([size["plane"], *size.get("also", [])])
    kind = "images" if _modality(bundle).is_projection else f"{planes} slices"
    across = size.get("across", 0)
    of = f"at {across} pixels along the image's longer side" if across else f"of {size['pixel_mm']:g} mm"
    words = f"{kind}, {size['pixels']} x {size['pixels']} pixels {of}"
    if slices > 1:
        words += f", {slices} at once about {size.get('slice_mm', size['pixel_mm']):g} mm apart"
    words += f", what the method '{size['hint']}' fills in" if size.get("hint") else ""
    return words + (", and the other side of the body" if bundle.arguments.get("other_side") else "")


def score_tables(bundle: Bundle) -> list[tuple[str, list[list[str]]]]:
    """Return for each protocol its description and a table of scores as texts, with the columns' names first."""
    protocols = list(dict.fromkeys(str(score.get("protocol", "not stated")) for score in bundle.scores))
    return [
        (each, _rows([score for score in bundle.scores if str(score.get("protocol", "not stated")) == each]))
        for each in protocols
    ]


def _rows(scores: list[dict[str, Any]]) -> list[list[str]]:
    columns = [name for name in dict.fromkeys(name for score in scores for name in score) if name != "protocol"]
    return [columns, *([_value(score.get(name)) for name in columns] for score in scores)]


def _value(value: Any) -> str:
    """Format a number with four digits, a mean with its spread, anything else with ``str``."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping) and set(value) == {"mean", "sd"}:
        return " ± ".join(_value(part) for part in (value["mean"], value["sd"]) if part is not None)
    return "" if value is None else str(value)


def _what_it_is(bundle: Bundle) -> str:
    arguments = ", ".join(f"{name} = {value}" for name, value in bundle.arguments.items())
    what = "estimating missing contrasts of" if has_purpose(bundle.architecture, ESTIMATES) else "filling holes in"
    return (
        f"`{bundle.name}`: a model for {what} {bundle.modality} images ({', '.join(bundle.contrasts)}). "
        f"Architecture `{bundle.architecture}`{f' ({arguments})' if arguments else ''}; the weights are "
        f"`{bundle.weights_file['file']}`, {bundle.megabytes:.1f} MB of {bundle.weights_file['dtype']}.\n\n"
        "Research software, **not for clinical use**: filled voxels are synthetic."
    )


def _input(bundle: Bundle) -> str:
    centre, half_width = bundle.normalisation["centre"], bundle.normalisation["half_width"]
    modality = _modality(bundle)
    if modality.scale is not None:
        black, white = modality.scale
        low, high = (black + (centre + side * half_width) * (white - black) for side in (-1, 1))
        units = f" {modality.units}" if modality.units else ""
        scale = f"{black:g} to {white:g}{units} to 0 and 1"
        rest = f": {low:.0f} to {high:.0f}{units} are told apart; of what lies beyond, only a correction is made"
    elif has_purpose(bundle.architecture, ESTIMATES):
        scale, rest = "no signal to 0, and the median of what lies deeper than 15 mm in the head to 0.25", ""
    else:
        scale, rest = "the known foreground's 0.5 and 99.5 percentiles to 0 and 1", ""
    everywhere = "" if has_purpose(bundle.architecture, ESTIMATES) else " as everywhere in MedInpaint"
    relative = " It sees all of it relative to the level and the roughness around the hole."
    return (
        f"{describe_input(bundle).capitalize()}. Intensities are first scaled{everywhere} "
        f"({bundle.modality}: {scale}); the network then sees (scaled - {centre:g}) / {half_width:g}{rest}."
        f"{relative if bundle.arguments.get('relative') else ''}"
    )


def _modality(bundle: Bundle) -> Modality:
    """Return the bundle's modality, or a plain one of that name if it is not registered."""
    return MODALITIES.get(bundle.modality) or Modality(name=bundle.modality)


def _training(bundle: Bundle) -> str:
    training = bundle.training
    words = f"Recipe `{training['recipe']}`, {training['steps']} steps, seed {training['seed']}."
    if not training["data"]:
        return f"{words} No data are named."
    columns = ("dataset", "subjects", "licence", "citation")
    rows = [columns, *([str(row[name]) for name in columns] for row in training["data"])]
    return f"{words}\n\n{_table(rows)}"


def _scores(bundle: Bundle) -> str:
    tables = [f"Protocol: {_line(protocol)}\n\n{_table(rows)}" for protocol, rows in score_tables(bundle)]
    return "\n\n".join(tables) or "None were measured: nothing is known of how good it is."


def _use(bundle: Bundle, method: str | None) -> str:
    if bundle.architecture == "collagan":
        *sources, target = bundle.contrasts[:3]
        images = " ".join(f"{name}={name.lower()}.nii.gz" for name in sources)
        examples = (
            f"    medinpaint impute {images} --target {target} -o {target.lower()}.nii.gz --model {bundle.name}",
            f"    medinpaint impute {images} --target {target} --repair damaged.nii.gz --mask hole.nii.gz "
            f"-o repaired.nii.gz --model {bundle.name}",
        )
        return "\n".join(examples) + f"\n\n{_KNOWN}"
    if has_purpose(bundle.architecture, ESTIMATES):
        return "It was trained to be compared with `collagan`; `python -m Research contrasts` in a checkout does that."
    example = f"medinpaint fill IMAGE MASK -o OUTPUT --method {method or 'METHOD'} --set model={bundle.name}"
    which = (
        ""
        if method
        else f"\n\nMETHOD is one that takes the architecture `{bundle.architecture}`; `medinpaint methods` lists them."
    )
    return f"    {example}{which}\n\n{_KNOWN}"


_KNOWN = (
    "The model is known by its name once `medinpaint models add` was given this folder; until then its path does as "
    "well."
)


def _limits(bundle: Bundle) -> str:
    if has_purpose(bundle.architecture, ESTIMATES):
        return (
            f"- It knows {bundle.modality} images of heads in these contrasts alone: {', '.join(bundle.contrasts)}.\n"
            "- What the contrasts that are there do not show cannot be in the estimate: lesions may be missing, too "
            "faint or invented. Never read lesions in it, or measure them.\n"
            "- It continues what it saw in training, in a handful of people: with patients, scanners and diseases that "
            "the training data lack, expect less than the scores say.\n"
            "- An estimate is no acquisition; not for clinical use."
        )
    return (
        f"- It knows {bundle.modality} images of these contrasts alone: {', '.join(bundle.contrasts)}. Elsewhere its "
        "fills may look right and be wrong.\n"
        f"- It sees {describe_input(bundle)}; nothing else of the image counts.\n"
        "- It continues what it saw in training: with patients, scanners and diseases that the training data lack, "
        "expect less than the scores say.\n"
        "- What it puts into a hole is believable, not true. Never measure or diagnose there; not for clinical use."
    )


def _table(rows: Iterable[Iterable[str]]) -> str:
    lines = ["| " + " | ".join(_line(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(list(next(iter(rows)))), *lines[1:]])


def _line(text: str) -> str:
    return " ".join(text.split())
