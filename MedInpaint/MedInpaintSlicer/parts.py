"""The parts of the hole as text: a table with the worst first, and a tool tip for each part."""

import html
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from . import scores

if TYPE_CHECKING:
    from MedInpaintLib.report import FillReport, PartFacts

#: The table has at most this many rows: a mask of multiple sclerosis may have hundreds of parts.
MOST_ROWS = 12
#: Follows a part that has warnings, which its tool tip tells.
MARK = "⚠"


def table(parts: Sequence["PartFacts"], titles: Mapping[str, str]) -> str:
    """Return a table with a row for each part, as rich text; empty if there is only one part.

    Numbers and marks are links to the part's index in ``parts``.

    Args:
        parts: those of the engine's report, the worst first.
        titles: method name -> title in the panel.
    """
    if len(parts) < 2:
        return ""
    shown = parts[:MOST_ROWS]
    trust, cells = _trust(shown)
    hasRegions = any(part.get("regions") for part in shown)
    columns = [_("mL"), _("Depth<br>mm"), *([trust] if trust else [])]
    head = "".join(f'<td align="right">{column}</td>' for column in columns)
    regions = f"<td>{_('Region')}</td>" if hasRegions else ""
    text = (
        f'<table width="100%" cellspacing="0" cellpadding="2"><tr valign="bottom"><td>{_("Part")}</td>'
        f"<td>{_('Method')}</td>{regions}{head}<td></td></tr>"
        + "".join(
            _row(index, part, titles, [cell] if trust else [], hasRegions)
            for index, (part, cell) in enumerate(zip(shown, cells, strict=True))
        )
        + "</table>"
    )
    if len(parts) > len(shown):
        text += scores.paragraph(_("and {count} more").format(count=len(parts) - len(shown)))
    return text


def tip(part: "PartFacts", titles: Mapping[str, str], trust: Mapping[str, str] | None = None) -> str:
    """Return why a part was filled by its method, where it lies, how far to trust it, and its warnings, as rich text.

    Args:
        part: of the engine's report.
        titles: method name -> title in the panel.
        trust: method name -> how far to trust its fills.
    """
    title = scores.short(titles.get(part["method"], part["method"]))
    why = [_("{method}: {reason}.").format(method=title, reason=part["reason"])] if part["reason"] else []
    regions = _regions(part)
    place = [_("By the atlas: {regions}.").format(regions=regions)] if regions else []
    known = [text] if (text := (trust or {}).get(part["method"])) else []
    return "".join(scores.paragraph(html.escape(line)) for line in [*why, *place, *known, *part["warnings"]])


def legend() -> str:
    """Return what the table's columns mean."""
    return _(
        "The parts of the hole, those with warnings first, then the deepest. Click a number to see the part. Depth: "
        "from the part's middle to the nearest known voxel. Region: where most of it lies, by the atlas. PSNR: what "
        "the self-check expects; higher is better. Error: its standard deviation, in the units of the image, as in the "
        "uncertainty volume. Point at a number to read how far to trust the part."
    )


def methods(report: "FillReport", titles: Mapping[str, str]) -> list[str]:
    """Return the titles of a fill's methods, those that filled most voxels first."""
    return [titles.get(name, name) for name in report["method"].split(", ")]


def methodText(report: "FillReport", titles: Mapping[str, str]) -> str:
    """Name the methods; also why, unless the reason differs from part to part, which the table tells."""
    used, checked = methods(report, titles), report["self_check"]
    text = _("Method: {title}").format(title=", ".join(used))
    if len(used) == 1 and len({part["reason"] for part in report["parts"]}) == 1:
        if checked and any(len(kind["methods"]) > 1 for kind in checked):
            text = _("Method: {title}; {reason}").format(title=used[0], reason=report["reason"])
        elif report["reason"]:
            text = _("Method: {title}, because {reason}").format(title=used[0], reason=report["reason"])
    return text.rstrip(".") + "."


def placeText(report: "FillReport") -> str:
    """Say where a hole of one part lies by the atlas, or why that is not known; the table tells it of several parts."""
    from MedInpaintLib.report import NO_REGIONS

    reason = report.get("notes", {}).get(NO_REGIONS)
    if reason:
        return _("No regions are named: {reason}.").format(reason=reason)
    regions = _regions(report["parts"][0]) if len(report["parts"]) == 1 else ""
    return _("By the atlas: {regions}.").format(regions=regions) if regions else ""


def _row(index: int, part: "PartFacts", titles: Mapping[str, str], trust: list[str], hasRegions: bool) -> str:
    region = f"<td>{html.escape(next(iter(part.get('regions', {})), '–'))}</td>" if hasRegions else ""
    numbers = [_number(part["volume_ml"], ".3g"), _number(part["depth_mm"], ".1f"), *trust]
    mark = f'<a href="{index}">{MARK}</a>' if part["warnings"] else ""
    title = html.escape(scores.short(titles.get(part["method"], part["method"])))
    return (
        f'<tr valign="top"><td><a href="{index}">{part["number"]}</a></td><td>{title}</td>{region}'
        + "".join(f'<td align="right" style="white-space: nowrap">{number}</td>' for number in numbers)
        + f"<td>{mark}</td></tr>"
    )


def _regions(part: "PartFacts") -> str:
    from MedInpaintLib.report import shares_in_words

    return shares_in_words(part.get("regions", {}))


def _number(value: float | None, digits: str) -> str:
    return "–" if value is None else f"{value:{digits}}"


def _trust(parts: Sequence["PartFacts"]) -> tuple[str, list[str]]:
    """Return the heading and the cells of the column that says how far to trust each part.

    The heading is empty where nothing is known of any part.
    """
    if any(part["scores"] for part in parts):
        return _("PSNR<br>dB"), [_psnr(part["scores"]) for part in parts]
    heading = _("Error<br>±") if any("deviation" in part for part in parts) else ""
    return heading, [_number(part.get("deviation"), ".3g") for part in parts]


def _psnr(expected: Mapping | None) -> str:
    if not expected:
        return "–"
    mean = scores.psnr(expected)
    return f"{mean:.1f}" if math.isfinite(mean) else "∞"
