"""Scores of methods as a table in rich text that fits into a narrow panel."""

import html
import math
from collections.abc import Iterable, Mapping

from slicer.i18n import tr as _


def table(rows: Iterable[tuple[str, dict]], titles: Mapping[str, str], marks: Mapping[str, str] | None = None) -> str:
    """Return a table with a row for each method; the standard deviation is below the mean to save width.

    Args:
        rows: method name and its scores, the top row first: ``psnr``, ``ssim`` and ``mae``, each with ``mean``
            and ``sd``, which may be None, and ``seconds``.
        titles: method name -> title in the panel.
        marks: method name -> a word under its title.
    """
    columns = (_("PSNR<br>dB"), _("SSIM"), _("MAE"), _("Time<br>s"))
    head = "".join(f'<td align="right">{column}</td>' for column in columns)
    body = "".join(_row(short(titles[name]), (marks or {}).get(name, ""), scores) for name, scores in rows)
    return (
        f'<table width="100%" cellspacing="0" cellpadding="2"><tr valign="bottom"><td>{_("Method")}</td>'
        f"{head}</tr>{body}</table>"
    )


def paragraph(text: str) -> str:
    """Return a paragraph of rich text without space below."""
    return f'<p style="margin: 0">{text}</p>'


def spread(score: Mapping, digits: int, between: str = "<br>±") -> str:
    """Return mean and standard deviation as text; a mean of None is the infinite PSNR of a perfect fill."""
    if score["mean"] is None:
        return "∞"
    mean = f"{score['mean']:.{digits}f}"
    return mean if score["sd"] is None else f"{mean}{between}{score['sd']:.{digits}f}"


def psnr(scores: Mapping) -> float:
    """Return the mean PSNR, by which methods are ranked."""
    return math.inf if scores["psnr"]["mean"] is None else scores["psnr"]["mean"]


def short(title: str) -> str:
    """Return a title without its part in brackets, for narrow tables."""
    return title.partition(" (")[0]


def _row(title: str, mark: str, scores: Mapping) -> str:
    name = html.escape(title) + (f"<br><b>{mark}</b>" if mark else "")
    digits = {"psnr": 1, "ssim": 3, "mae": _digits(scores["mae"]["mean"])}
    cells = [spread(scores[metric], count) for metric, count in digits.items()]
    cells.append(f"{scores['seconds']:.{1 if scores['seconds'] >= 1 else 2}f}")
    return (
        f'<tr valign="top"><td>{name}</td>'
        + "".join(f'<td align="right" style="white-space: nowrap">{cell}</td>' for cell in cells)
        + "</tr>"
    )


def _digits(number: float | None) -> int:
    """Return the decimals that show three figures: intensities may be 0..1 or thousands."""
    return 0 if not number else min(max(2 - math.floor(math.log10(abs(number))), 0), 8)
