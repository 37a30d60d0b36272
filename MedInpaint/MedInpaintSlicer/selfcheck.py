"""What the engine's self-check found, as the panel shows it and as results say it."""

import html
import math

from slicer.i18n import tr as _


def table(checked: dict, titles: dict[str, str]) -> str:
    """Rich text: what was tried, then a table with the best method first, then what could not be tried.

    Mean and standard deviation stand above each other, so that the table fits into a narrow panel.

    Args:
        checked: the report's entry ``self_check``.
        titles: method name -> what the panel calls it.
    """
    ranked = sorted(checked["methods"].items(), key=lambda item: (item[0] != checked["best"], -_psnr(item[1])))
    columns = (_("PSNR<br>dB"), _("SSIM"), _("MAE"), _("Time<br>s"))
    head = "".join(f'<td align="right">{column}</td>' for column in columns)
    rows = [_row(_short(titles[name]), found, name == checked["best"], len(ranked) > 1) for name, found in ranked]
    return (
        f'<p style="margin: 0">{_headline(checked, titles)}</p>'
        f'<table width="100%" cellspacing="0" cellpadding="2"><tr valign="bottom"><td>{_("Method")}</td>'
        f"{head}</tr>{''.join(rows)}</table>" + "".join(_leftOut(checked, titles))
    )


def expectation(checked: dict) -> str:
    """What to expect of the fill, in a sentence."""
    return _("Self-check on {holes} holes of the same shape in healthy tissue: expected PSNR {psnr} dB.").format(
        holes=checked["holes"], psnr=_spread(checked["expected"]["psnr"], 1, " ± ")
    )


def _headline(checked: dict, titles: dict[str, str]) -> str:
    known = {"holes": checked["holes"], "range": html.escape(checked["range"])}
    if len(checked["methods"]) > 1:
        return _(
            "<b>Self-check:</b> {count} methods filled {holes} holes of the same shape in healthy tissue of this scan. "
            "Mean ± SD; {range}."
        ).format(count=len(checked["methods"]), **known)
    return _(
        "<b>Self-check:</b> what to expect of {method}, from {holes} holes of the same shape in healthy tissue of this "
        "scan. Mean ± SD; {range}."
    ).format(method=html.escape(_short(titles[checked["best"]])), **known)


def _row(title: str, found: dict, best: bool, marked: bool) -> str:
    name = html.escape(title)
    if best and marked:
        name += f"<br><b>{_('taken')}</b>"
    digits = {"psnr": 1, "ssim": 3, "mae": _digits(found["mae"]["mean"])}
    cells = [_spread(found[metric], count) for metric, count in digits.items()]
    cells.append(f"{found['seconds']:.{1 if found['seconds'] >= 1 else 2}f}")
    return (
        f'<tr valign="top"><td>{name}</td>'
        + "".join(f'<td align="right" style="white-space: nowrap">{cell}</td>' for cell in cells)
        + "</tr>"
    )


def _leftOut(checked: dict, titles: dict[str, str]) -> list[str]:
    text = _("{method} could not be tried: {reason}")
    return [
        f'<p style="margin: 0">{html.escape(text.format(method=_short(titles.get(name, name)), reason=reason))}</p>'
        for name, reason in checked["left_out"].items()
    ]


def _spread(found: dict, digits: int, between: str = "<br>±") -> str:
    """Mean and standard deviation, as far as there are any; a perfect fill's PSNR is infinite, which JSON is not."""
    if found["mean"] is None:
        return "∞"
    mean = f"{found['mean']:.{digits}f}"
    return mean if found["sd"] is None else f"{mean}{between}{found['sd']:.{digits}f}"


def _psnr(found: dict) -> float:
    return math.inf if found["psnr"]["mean"] is None else found["psnr"]["mean"]


def _digits(number: float | None) -> int:
    """Decimals that show three figures: images have values of 0..1 as well as of thousands."""
    return 0 if not number else min(max(2 - math.floor(math.log10(abs(number))), 0), 8)


def _short(title: str) -> str:
    """Without what stands in brackets, for which a narrow table has no room."""
    return title.partition(" (")[0]
