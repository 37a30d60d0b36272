"""The results of the engine's self-check as text, for the panel and for result nodes."""

import html

from slicer.i18n import tr as _

from . import scores

#: So many parts of a kind are named by their numbers; more are counted.
MOST_NUMBERS = 12


def tables(kinds: list[dict], titles: dict[str, str]) -> str:
    """Return rich text: a table for each kind of parts of the hole, below their numbers if there are several kinds.

    Args:
        kinds: the report's entry ``self_check``.
        titles: method name -> title in the panel.
    """
    if len(kinds) < 2:
        return "".join(table(checked, titles) for checked in kinds)
    return "".join(scores.paragraph(_numbers(checked["parts"])) + table(checked, titles) for checked in kinds)


def table(checked: dict, titles: dict[str, str]) -> str:
    """Return rich text: a headline, a table with the best method first, and the methods that could not be tried.

    Args:
        checked: one kind of the report's entry ``self_check``.
        titles: method name -> title in the panel.
    """
    best, methods = checked["best"], checked["methods"]
    ranked = sorted(methods.items(), key=lambda item: (item[0] != best, -scores.psnr(item[1])))
    marks = {best: _("taken")} if len(methods) > 1 else {}
    return "".join(
        [scores.paragraph(_headline(checked, titles)), scores.table(ranked, titles, marks), *_leftOut(checked, titles)]
    )


def expectation(checked: dict) -> str:
    """Say in a sentence how good the fill should be."""
    return _("Self-check on {holes} holes of the same shape in healthy tissue: expected PSNR {psnr} dB.").format(
        holes=checked["holes"], psnr=scores.spread(checked["expected"]["psnr"], 1, " ± ")
    )


def _numbers(parts: list[int]) -> str:
    named = ", ".join(str(number) for number in parts[:MOST_NUMBERS])
    if len(parts) > MOST_NUMBERS:
        return _("<b>Parts {numbers} and {count} more</b>").format(numbers=named, count=len(parts) - MOST_NUMBERS)
    return _("<b>Part(s) {numbers}</b>").format(numbers=named)


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
    ).format(method=html.escape(scores.short(titles[checked["best"]])), **known)


def _leftOut(checked: dict, titles: dict[str, str]) -> list[str]:
    text = _("{method} could not be tried: {reason}")
    return [
        scores.paragraph(html.escape(text.format(method=scores.short(titles.get(name, name)), reason=reason)))
        for name, reason in checked["left_out"].items()
    ]
