"""The texts of the tab "Models" about a model: its card for a narrow panel, and how to cite it."""

import re

from slicer.i18n import tr as _

#: The citation of MedInpaint itself, with its version; the facts are those of CITATION.cff.
MEDINPAINT = (
    "The MedInpaint authors. MedInpaint: medical image inpainting for 3D Slicer and Python. Version {version}, 2026."
)


def narrowCard(bundle) -> str:
    """Return the model card as Markdown, for a panel of some 300 pixels.

    The texts are those of the engine's card without its command lines; its wide tables become lists and tall tables.
    """
    from MedInpaintLib.models.card import card

    about, *sections = re.split(r"^## ", card(bundle), flags=re.MULTILINE)
    words = {title: text.strip() for title, _newline, text in (each.partition("\n") for each in sections)}
    parts = [
        "##" + about.strip(),
        _headed(_("Limits"), words["Limits"]),
        _headed(_("Training data, with licenses and citations"), _training(bundle)),
        _headed(_("Input"), words["Input"]),
        _headed(_("Scores"), _scores(bundle)),
        _headed(_("Folder"), _plain(str(bundle.folder))),
    ]
    return "\n\n".join(parts) + "\n"


def citation(bundle, method=None) -> str:
    """Return what to cite when a model was used: plain text, a line for each citation.

    Args:
        bundle: the model.
        method: the ``MethodInfo`` of the method that uses it, or None.
    """
    import MedInpaintLib

    lines = [MEDINPAINT.format(version=MedInpaintLib.__version__)]
    if method is not None:
        lines.append(_("Method: {reference}.").format(reference=method.reference))
    rows = bundle.training["data"]
    if rows:
        lines.append(_("Training data of the model '{name}':").format(name=bundle.name))
    lines += [
        _("- {dataset}: {citation} (license: {license})").format(
            dataset=row["dataset"], citation=row["citation"], license=row["licence"]
        )
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _headed(title: str, text: str) -> str:
    # Qt shows the upper levels far larger than anything else in a panel.
    return f"#### {title}\n\n{text}"


def _training(bundle) -> str:
    rows = [
        _("- **{dataset}**, {count} subject(s). License: {license}. {citation}").format(
            dataset=_plain(row["dataset"]),
            count=row["subjects"],
            license=_plain(row["licence"]),
            citation=_plain(row["citation"]),
        )
        for row in bundle.training["data"]
    ]
    return "\n".join(rows) or _("No data are named.")


def _scores(bundle) -> str:
    from MedInpaintLib.models.card import score_tables

    texts = {name for score in bundle.scores for name, value in score.items() if isinstance(value, str)}
    parts = []
    for protocol, (columns, *rows) in score_tables(bundle):
        parts.append(_("Protocol: {protocol}").format(protocol=_plain(protocol)))
        scores = [dict(zip(columns, row, strict=True)) for row in rows]
        parts += _grouped(scores, [name for name in columns if name in texts and name != "method"], texts)
    return "\n\n".join(parts) or _("None were measured: nothing is known of how good it is.")


def _grouped(scores: list[dict[str, str]], circumstances: list[str], texts: set[str]) -> list[str]:
    """Return Markdown tables of scores, one for each set of circumstances, with a column for each score."""
    groups: dict[tuple, list[dict[str, str]]] = {}
    for score in scores:
        groups.setdefault(tuple(score[name] for name in circumstances), []).append(score)
    parts = []
    for shared, members in groups.items():
        about = ", ".join(f"{_plain(name)}: {_plain(value)}" for name, value in zip(circumstances, shared, strict=True))
        parts += [f"*{about}*"] if about else []
        measures = [name for name in members[0] if name not in texts]
        parts.append(_sentence(members[0], measures) if len(members) == 1 else _tall(members, measures))
    return parts


def _sentence(score: dict[str, str], measures: list[str]) -> str:
    values = ", ".join(f"{measure.replace('_', ' ')} {score[measure]}" for measure in measures if score[measure])
    return _plain(": ".join(each for each in (score.get("method", ""), values) if each))


def _tall(scores: list[dict[str, str]], measures: list[str]) -> str:
    """Format a table with a row for each measure, and a column for each score."""
    rows = [["", *(score.get("method", "") for score in scores)]]
    rows += [[measure.replace("_", " "), *(score[measure] for score in scores)] for measure in measures]
    lines = ["| " + " | ".join(_plain(cell) for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _plain(text: str) -> str:
    """Escape a text for one line of Markdown."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
