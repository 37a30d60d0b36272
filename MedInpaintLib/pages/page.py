"""The page of a fill: what was there, what is there now, and how far to trust it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..mask import Hole
from ..parts import Part
from ..report import FillReport, PartFacts, shares_in_words
from ..volume import Volume
from .attention import attention_of
from .document import NOT_CLINICAL, document, facts, lines, number, table, text
from .pictures import COLOURS
from .planes import is_oblique
from .views import Scene, View

#: Parts with pictures, the worst first: at most so many, and while their pictures have fewer bytes.
MOST_DRAWN, MOST_BYTES = 24, 1_600_000
#: Rows of the table of parts, and warnings in a list; the report has all.
MOST_ROWS, MOST_WARNINGS = 300, 50
#: The report's names of tissues in words.
TISSUES = {"grey": "grey matter", "white": "white matter", "csf": "fluid"}
#: A view as :func:`_view` writes it: its ratio and the picture after the fill.
_FIRST_PICTURE = re.compile(
    r'<figure style="--ratio:(?P<ratio>[0-9.]+)">.*?<div class="layer after"><img src="(?P<uri>data:image/png;[^"]+)"',
    re.DOTALL,
)


class Picture(NamedTuple):
    """A picture of a page.

    Attributes:
        uri: its data URI.
        ratio: width over height, in mm.
    """

    uri: str
    ratio: float


def fill_page(
    image: Volume,
    filled: np.ndarray,
    hole: Hole,
    parts: Sequence[Part],
    report: FillReport,
    spread: np.ndarray | None = None,
    remark: str = "",
) -> str:
    """Return the page of a fill as HTML; the same arguments make the same page, to the byte.

    Args:
        image: before.
        filled: after, of the same shape.
        hole: the voxels that were filled.
        parts: those of the report.
        report: of the fill.
        spread: the uncertainty, of the same shape, or None.
        remark: a line below the title, such as which volume of several this is; empty for none.
    """
    scene = Scene(image, filled, hole, report["modality"], spread) if parts else None
    drawn = {} if scene is None else _drawn(scene, parts, report["parts"])
    # A picture without a pixel size has pixels of "1 mm".
    unit = "mm" if image.array.ndim == 3 or image.has_place else "pixels"
    pictures = "" if scene is None else _pictures(scene, drawn, report, image, unit)
    sections = (
        _top(report, image.array.ndim, remark),
        _section("Warnings", _bounded(_general_warnings(report))),
        pictures,
        _section("Parts of the hole", _parts(report["parts"], set(drawn), unit)),
        *(_section(_checked_title(each), _checked(each)) for each in report["self_check"] or []),
        _section("How it was made", facts(_making(report))),
        f"<footer><p>{text(report['software'])}, {text(report['date'])}. {NOT_CLINICAL}</p></footer>",
    )
    body = "\n".join(section for section in sections if section)
    return document(
        f"{report['image'].get('name', 'image')}: filled", f'<main class="with-outline">\n{body}\n</main>', "page.js"
    )


def first_picture(page: str) -> Picture | None:
    """Return the first picture after the fill on a page of :func:`fill_page`; None where the page has no pictures.

    Args:
        page: HTML; its begin is enough if that holds the picture.
    """
    match = _FIRST_PICTURE.search(page)
    return None if match is None else Picture(match["uri"], float(match["ratio"]))


def _drawn(scene: Scene, parts: Sequence[Part], worst_first: Sequence[PartFacts]) -> dict[int, list[View]]:
    """Return the views of the worst parts by their number, as many as a page may hold."""
    by_number = {part.number: part for part in parts}
    drawn: dict[int, list[View]] = {}
    size = 0
    for row in worst_first[:MOST_DRAWN]:
        if row["number"] in by_number and size < MOST_BYTES:
            drawn[row["number"]] = scene.views(by_number[row["number"]])
            size += sum(view.bytes() for view in drawn[row["number"]])
    return drawn


def _top(report: FillReport, dimensions: int, remark: str) -> str:
    """Return the title, how much attention the fill asks for, how far to trust it, and its size."""
    hole, rows = report["hole"], report["parts"]
    warned = sum(bool(row["warnings"]) for row in rows)
    attention = attention_of(voxels=hole["voxels"], warned_parts=warned, warnings=len(report["warnings"]))
    about = f"{warned} of {_count(len(rows), 'part')} of the hole with warnings." if warned else attention.about
    filled = ""
    if hole["voxels"]:
        size = "" if hole["volume_ml"] is None else f", {hole['volume_ml']:.3g} ml"
        voxels = _count(hole["voxels"], "voxel" if dimensions == 3 else "pixel")
        parts = _count(hole["components"], "part")
        filled = f"<p>{voxels}{size} in {parts}, filled by <b>{text(report['method'])}</b>.</p>"
    return (
        f"<header><h1>{text(report['image'].get('name', 'image'))}</h1>\n{_paragraph(remark)}"
        f'<p class="verdict {attention.word}"><b>{text(about)}</b> {text(report["trust"])}</p>\n{filled}</header>'
    )


def _pictures(scene: Scene, drawn: dict[int, list[View]], report: FillReport, image: Volume, unit: str) -> str:
    views = [view for several in drawn.values() for view in several]
    if not views:
        return ""
    rows = {row["number"]: row for row in report["parts"]}
    more = len(rows) - len(drawn)
    notes = ["Inside the outline, what is after the line is synthetic; all other voxels are as they were."]
    if any(view.letters for view in views):
        notes.append("Radiological view: the patient's left (L) is at the right.")
    if any(view.letters for view in views) and is_oblique(image):
        notes.append("The slices are oblique: letters name the nearest directions.")
    if any(view.has_no_data for view in views):
        notes.append("Hatched: no data.")
    if any(view.step > 1 for view in views):
        notes.append("Large slices are shown with fewer pixels than they have.")
    if more > 0:
        notes.append(f"Pictures of the {len(drawn)} worst parts; {more} more in the table.")
    parts = "\n".join(_part(rows[name], several, unit) for name, several in drawn.items())
    return (
        f"<section><h2>Before and after</h2>\n<p>{text(' '.join(notes))}</p>\n{_controls(scene, report)}\n"
        f"{parts}\n</section>"
    )


def _controls(scene: Scene, report: FillReport) -> str:
    """Return the controls of all views, the window, and the legend of the uncertainty where there is one."""
    spread = legend = ""
    if scene.most is not None:
        spread = '<label><input type="checkbox" id="spread"> Uncertainty</label>'
        colours = ", ".join(f"rgb({red} {green} {blue})" for red, green, blue in COLOURS)
        facts = report["uncertainty"]
        basis = f", {facts['basis']}" if facts else ""
        what = f"standard deviation of the error{basis}, in the image's units"
        legend = (
            '<p class="legend"><span>0</span>'
            f'<span class="scale" style="background:linear-gradient(to right, {colours})"></span>'
            f"<span>{scene.most:.3g} or more</span> {text(what)}</p>"
        )
    return (
        '<div class="controls"><label>Before <input type="range" id="all" min="0" max="100" value="50" '
        'aria-label="All views: from before to after"> After</label>'
        f'<label><input type="checkbox" id="outline" checked> Outline</label>{spread}'
        f"<span>Black {scene.window.black:.4g}, white {scene.window.white:.4g}</span></div>{legend}"
    )


def _part(row: PartFacts, views: Sequence[View], unit: str) -> str:
    depth = "" if row["depth_mm"] is None else f", {row['depth_mm']:.1f} {unit} deep"
    at = ", ".join(f"{axis} {index}" for axis, index in zip("ijk", reversed(row["middle"]), strict=False))
    reason = f": {text(row['reason'])}" if row["reason"] else ""
    place = f"<p>{_place(row)}</p>\n" if row.get("regions") or row.get("tissues") else ""
    figures = "\n".join(_view(view, row["number"]) for view in views)
    return (
        f'<article id="part-{row["number"]}"><h3>Part {row["number"]}: {_size(row)}{depth}</h3>\n'
        f"<p><b>{text(row['method'])}</b>{reason}. Middle: {at}.</p>\n{place}"
        f'<div class="warned">{lines(row["warnings"])}</div>\n<div class="views">\n{figures}\n</div></article>'
    )


def _place(row: PartFacts) -> str:
    """Return where a part lies by the atlas, and what an average head has there."""
    tissues = {TISSUES.get(name, name): share for name, share in row.get("tissues", {}).items()}
    lies = f"By the atlas in {text(shares_in_words(row.get('regions', {})) or 'no region')}"
    expected = text(shares_in_words(tissues))
    return f"{lies}; an average head has there {expected}." if expected else f"{lies}."


def _view(view: View, part: int) -> str:
    whole = ("whole slice" if view.caption else "whole image") if view.frame else ""
    name = ", ".join(filter(None, (view.caption, whole))) or "close"
    about = text(f"part {part}, {name}")
    drawing = _drawing(view)
    spread = "" if view.spread is None else f'<img class="spread" src="{view.spread}" alt="Uncertainty: {about}">'
    return (
        f'<figure style="--ratio:{view.ratio:.4f}"><div class="stack">'
        f'<div class="layer before"><img src="{view.before}" alt="Before: {about}">{drawing}'
        '<span class="name" aria-hidden="true">before</span></div>'
        f'<div class="layer after"><img src="{view.after}" alt="After: {about}">{spread}{drawing}'
        '<span class="name" aria-hidden="true">after</span></div><div class="line"></div>'
        f'<input type="range" class="wipe" min="0" max="100" value="50" aria-label="From before to after: {about}">'
        f"</div><figcaption>{text(name[:1].upper() + name[1:])}</figcaption></figure>"
    )


def _drawing(view: View) -> str:
    """Return what lies over both pictures of a view: the outline, the frame of the close views, and the letters."""
    columns, rows = view.size
    shapes = f'<path class="outline" d="{view.outline}"/>'
    if view.frame:
        left, top, wide, tall = (f"{100 * share:.2f}%" for share in view.frame)
        shapes += f'<rect class="frame" x="{left}" y="{top}" width="{wide}" height="{tall}"/>'
    letters = "".join(
        f'<span class="letter {side}" aria-hidden="true">{letter}</span>'
        for side, letter in zip(("top", "right", "bottom", "left"), view.letters or (), strict=False)
    )
    return f'<svg viewBox="0 0 {columns} {rows}" preserveAspectRatio="none" aria-hidden="true">{shapes}</svg>{letters}'


def _parts(rows: Sequence[PartFacts], drawn: set[int], unit: str) -> str:
    if not rows:
        return ""
    scored = any(row["scores"] for row in rows)
    placed = any("regions" in row for row in rows)
    further = [*(["Regions"] if placed else []), *(["PSNR dB"] if scored else [])]
    headings = ["Part", "Size", f"Depth {unit}", "Method", *further, "Warnings"]
    cells = []
    for row in rows[:MOST_ROWS]:
        name = f'<a href="#part-{row["number"]}">{row["number"]}</a>' if row["number"] in drawn else f"{row['number']}"
        score = [_spread(row["scores"]["psnr"], 1) if row["scores"] else "–"] if scored else []
        warnings = "<br>".join(map(text, row["warnings"]))
        place = [text(shares_in_words(row.get("regions", {})) or "–")] if placed else []
        depth = number(row["depth_mm"], ".1f")
        cells.append([name, _size(row), depth, text(row["method"]), *place, *score, warnings])
    more = f"<p>and {len(rows) - MOST_ROWS} more, see the report.</p>" if len(rows) > MOST_ROWS else ""
    about = "<p>The worst first: those with warnings, then the deepest. Depth is that of the innermost voxel.</p>"
    return about + table(headings, cells, numbers=(1, 2)) + more


def _checked_title(checked: dict[str, Any]) -> str:
    numbers = checked["parts"]
    named = ", ".join(map(str, numbers[:12])) + (f" and {len(numbers) - 12} more" if len(numbers) > 12 else "")
    return f"Self-check of part{'s' * (len(numbers) > 1)} {named}"


def _checked(checked: dict[str, Any]) -> str:
    about = f"<p>On {checked['holes']} such holes in healthy tissue of this image, {text(checked['range'])}.</p>"
    rows = [
        [text(name), *(_spread(scores[metric], digits) for metric, digits in (("psnr", 2), ("ssim", 3), ("mae", 3)))]
        for name, scores in sorted(checked["methods"].items(), key=lambda item: -(item[1]["psnr"]["mean"] or np.inf))
    ]
    left_out = lines(f"{name} could not be tried: {why}" for name, why in checked["left_out"].items())
    return about + table(["Method", "PSNR dB", "SSIM", "MAE"], rows, numbers=(1, 2, 3)) + left_out


def _making(report: FillReport) -> Iterator[tuple[str, str]]:
    """Yield what the report says of how the fill was made, as HTML."""
    image, mask = report["image"], report["mask"]
    yield "Method", text(report["method"])
    yield "Reason", text(report["reason"])
    yield "Parameters", f"<code>{text(json.dumps(report['parameters']))}</code>" if report["parameters"] else ""
    yield "Blending", text(report["blend"])
    yield "Grain", "added" if report["grain"] else ""
    yield "Seed", text(report["seed"])
    shape, spacing = image.get("shape", []), image.get("spacing", [])
    size = f"{' x '.join(map(str, shape[::-1]))} voxels of {' x '.join(f'{mm:g}' for mm in spacing[::-1])} mm"
    yield "Image", f"{text(image.get('name', ''))}: {size}, {text(image.get('dtype', ''))}"
    guessed = f" ({text(report['modality_reason'])})" if report["modality_reason"] else ""
    yield "Kind of image", f"{text(report['modality'])}{guessed}" if report["modality"] else ""
    if mask:
        grown = f", grown by {mask['dilate_mm']:g} mm" if mask.get("dilate_mm") else ""
        yield "Mask", f"{text(mask.get('name', ''))}: {text(mask.get('kind', ''))}, {text(mask.get('rule', ''))}{grown}"
    facts = report["uncertainty"]
    yield "Uncertainty", text((facts["basis"] or f"none: {facts['reason']}") if facts else "")
    for name, value in report["notes"].items():
        yield f"Note: {name}", text(_short(value))
    yield "Device", text(report["device"])
    yield "Seconds", text(", ".join(f"{stage} {seconds:.2f}" for stage, seconds in report["seconds"].items()))
    yield "Version", text(report["software"])


def _short(value: Any) -> str:
    """Return a note as a text; numbers with six digits."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _paragraph(remark: str) -> str:
    return f"<p>{text(remark)}</p>\n" if remark else ""


def _section(title: str, content: str) -> str:
    return f"<section><h2>{text(title)}</h2>\n{content}\n</section>" if content else ""


def _general_warnings(report: FillReport) -> list[str]:
    """Return the warnings that are of no single part."""
    of_parts = {warning for row in report["parts"] for warning in row["warnings"]}
    return [warning for warning in report["warnings"] if warning not in of_parts]


def _bounded(warnings: Sequence[str]) -> str:
    more = len(warnings) - MOST_WARNINGS
    return lines([*warnings[:MOST_WARNINGS], *([f"and {more} more, see the report"] if more > 0 else [])])


def _size(row: PartFacts) -> str:
    return f"{row['voxels']} pixels" if row["volume_ml"] is None else f"{row['volume_ml']:.3g} ml"


def _spread(scores: dict[str, float | None], digits: int) -> str:
    """Return the mean ± standard deviation, or what there is of them."""
    mean, sd = scores["mean"], scores["sd"]
    if mean is None or sd is None:
        return number(mean, f".{digits}f")
    return f"{mean:.{digits}f} ± {sd:.{digits}f}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"
