"""Scores of methods as a table in rich text that fits into a narrow panel."""

import html
import math
from collections.abc import Iterable, Mapping

from slicer.i18n import tr as _


def table(found: Iterable[tuple[str, dict]], titles: Mapping[str, str], marks: Mapping[str, str] | None = None) -> str:
    """Return a row a method; mean and standard deviation stand above each other, for want of room.

    Args:
        found: method name and what came out, in the order of the rows: for ``psnr``, ``ssim`` and ``mae`` the ``mean``
            and the ``sd``, either None where there is none, and ``seconds``.
        titles: method name -> what the panel calls it.
        marks: method name -> a word that stands under its title.
    """
    columns = (_("PSNR<br>dB"), _("SSIM"), _("MAE"), _("Time<br>s"))
    head = "".join(f'<td align="right">{column}</td>' for column in columns)
    rows = [_row(short(titles[name]), (marks or {}).get(name, ""), scores) for name, scores in found]
    return (
        f'<table width="100%" cellspacing="0" cellpadding="2"><tr valign="bottom"><td>{_("Method")}</td>'
        f"{head}</tr>{''.join(rows)}</table>"
    )


def paragraph(text: str) -> str:
    """Rich text, set close to what stands below."""
    return f'<p style="margin: 0">{text}</p>'


def spread(found: Mapping, digits: int, between: str = "<br>±") -> str:
    """Mean and standard deviation, as far as there are any; a perfect fill's PSNR is infinite, which JSON is not."""
    if found["mean"] is None:
        return "∞"
    mean = f"{found['mean']:.{digits}f}"
    return mean if found["sd"] is None else f"{mean}{between}{found['sd']:.{digits}f}"


def psnr(found: Mapping) -> float:
    """To rank methods by."""
    return math.inf if found["psnr"]["mean"] is None else found["psnr"]["mean"]


def short(title: str) -> str:
    """Without what stands in brackets, for which a narrow table has no room."""
    return title.partition(" (")[0]


def _row(title: str, mark: str, found: Mapping) -> str:
    name = html.escape(title) + (f"<br><b>{mark}</b>" if mark else "")
    digits = {"psnr": 1, "ssim": 3, "mae": _digits(found["mae"]["mean"])}
    cells = [spread(found[metric], count) for metric, count in digits.items()]
    cells.append(f"{found['seconds']:.{1 if found['seconds'] >= 1 else 2}f}")
    return (
        f'<tr valign="top"><td>{name}</td>'
        + "".join(f'<td align="right" style="white-space: nowrap">{cell}</td>' for cell in cells)
        + "</tr>"
    )


def _digits(number: float | None) -> int:
    """Decimals that show three figures: images have values of 0..1 as well as of thousands."""
    return 0 if not number else min(max(2 - math.floor(math.log10(abs(number))), 0), 8)
