"""Reference pages that are made from the engine when the site is built: ``<!-- build: NAME -->`` becomes their text.

Names: ``methods``, ``commands``, ``reports``, ``holes``.
"""

from __future__ import annotations

import ast
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from typing import Any

import typer

import MedInpaintLib as mi
from MedInpaintLib import report
from MedInpaintLib.cli.app import app
from MedInpaintLib.holes import grammar
from MedInpaintLib.methods import auto
from MedInpaintLib.models.recipes import recipes
from MedInpaintLib.parameters import ParameterInfo
from MedInpaintLib.prediction import MethodInfo

if typing.TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page


_MARK = re.compile(r"^<!-- build: (methods|commands|reports|holes) -->$", re.M)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Replace the marks on a page."""
    return _MARK.sub(lambda mark: BUILDERS[mark[1]](), markdown)


# Methods


def methods() -> str:
    """Return a table of all methods, and a section for each."""
    known = mi.list_methods()
    rows = [["[auto](#auto)", "automatic", auto.SUMMARY]]
    rows += [[f"[{name}](#{name})", info.family, info.summary] for name, info in known.items()]
    sections = [f"## auto\n\n{auto.SUMMARY} It takes one of the other methods, with their default parameters."]
    sections += [_method(info) for info in known.values()]
    return "\n\n".join([_table(["method", "family", "what it does"], rows), *sections])


def _method(info: MethodInfo) -> str:
    facts = [
        ("Images", _images(info)),
        ("Needs", _needs(info)),
        ("Uses, if you give them", "other contrasts of the subject (guides)" if _may_guide(info) else ""),
        ("Several images with one hole", "from the same sources in all of them" if info.shares_sources else ""),
        ("Sees", f"{info.context_mm:g} mm around the hole"),
        ("Blending", info.blend),
        ("Trust", info.trust),
        ("Reference", info.reference),
    ]
    lines = [f"- **{what}**: {text}" for what, text in facts if text]
    parts = [f"## {info.name}", f"**{info.title}.** {info.summary}", "\n".join(lines)]
    if info.describe():
        header = ["parameter", "default", "range", "what it is"]
        parts.append(_table(header, [_parameter(each) for each in info.describe()]))
    return "\n\n".join(parts)


def _images(info: MethodInfo) -> str:
    """Return for which images a method is."""
    there = info.modalities()
    if not info.architecture:
        return info.dimensions
    models = f"models for {', '.join(there)}" if there else "no model comes with MedInpaint"
    more = [f"`{name}` ({kind})" for name, kind in recipes(info.architecture).items() if kind not in there]
    return f"{info.dimensions}; {models}" + (f"; recipes for more: {', '.join(more)}" if more else "")


def _needs(info: MethodInfo) -> str:
    needs = ["a trained model"] if info.needs_model else []
    needs += ["scans of other subjects (exemplars)"] if info.needs_exemplars else []
    needs += ["other contrasts of the subject (guides)"] if info.needs_guides else []
    needs += [f"`pip install {' '.join(info.requires)}`"] if info.requires else []
    needs += ["a GPU to be quick"] if info.wants_gpu else []
    return "; ".join(needs)


def _may_guide(info: MethodInfo) -> bool:
    return info.uses_guides and not info.needs_guides


def _parameter(info: ParameterInfo) -> list[str]:
    if info.choices:
        limits = ", ".join(f"`{each}`" for each in info.choices)
    elif info.kind in ("bool", "str"):
        limits = {"bool": "true or false", "str": "text"}[info.kind]
    elif info.minimum is not None and info.maximum is not None:
        limits = f"{info.minimum:g} to {info.maximum:g}"
    else:
        limits = "" if info.minimum is None else f"{info.minimum:g} or more"
    unit = f" {info.unit}" if info.unit else ""
    default = f"`{info.default}`" if info.default != "" else "none"
    return [f"`{info.name}`", default + unit, limits + (unit if limits else ""), info.help]


# Commands


def commands() -> str:
    """Return a section for each command, from what ``--help`` prints."""
    root = typer.main.get_command(app)
    context = root.make_context("medinpaint", [], resilient_parsing=True)
    return "\n\n".join(_sections(root, context))


def _sections(group: Any, context: Any) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        own = type(context)(command, parent=context, info_name=name)
        yield _command(command, own)
        if hasattr(command, "list_commands"):
            yield from _sections(command, own)


def _command(command: Any, context: Any) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"## {context.command_path}", _prose(command.help or ""), f"```text\n{usage}\n```"]
    records = [each.get_help_record(context) for each in command.params]
    rows = [[f"`{_plain(names)}`", _escaped(text)] for names, text in filter(None, records) if "--help" not in names]
    if rows:
        parts.append(_table(["argument or option", "what it is"], rows))
    if command.epilog:
        text = re.sub(r"\n{2,}", "\n", inspect.cleandoc(command.epilog))
        parts.append(f"```text\n{text}\n```")
    return "\n\n".join(parts)


def _plain(names: str) -> str:
    """Return the type of an option in plain words: ``<list[Path]>`` takes one path at a time."""
    return re.sub(r"<list\[(\w+)\]>", lambda kind: f"<{kind[1].lower()}>", names)


def _escaped(text: str) -> str:
    """Keep brackets of the help, such as ``[default: auto]``, from being read as links."""
    return text.replace("[", "\\[").replace("]", "\\]").replace("<", "&lt;")


def _prose(text: str) -> str:
    return inspect.cleandoc(text).replace("\b\n", "")


# Reports


def reports() -> str:
    """Return a section for each report and for what it holds, from the typed dictionaries."""
    kinds = [each for each in vars(report).values() if typing.is_typeddict(each) and each.__module__ == report.__name__]
    whole = [each for each in kinds if issubclass_of_report(each)]
    parts = [each for each in kinds if each not in whole]
    return "\n\n".join(_report(each) for each in [*whole, *parts])


def issubclass_of_report(kind: Any) -> bool:
    """Return whether a typed dictionary is a whole report: it holds all fields of :class:`Report`."""
    return kind is not report.Written and set(report.Report.__annotations__) <= set(kind.__annotations__)


def _report(kind: Any) -> str:
    first, meanings = explained(inspect.getdoc(kind) or "", set(kind.__annotations__))
    bases = _bases(kind)
    inherited = {name for base in bases for name in base.__annotations__}
    rows = [
        [f"`{name}`", _type(hint), meanings.get(name, "")]
        for name, hint in typing.get_type_hints(kind).items()
        if name not in inherited
    ]
    parts = [f"## {kind.__name__}", first]
    if bases:
        parts.append("It also has the fields of " + " and ".join(_type(base) for base in bases) + ".")
    return "\n\n".join([*parts, _table(["field", "type", "what it is"], rows)])


def _bases(kind: Any) -> list[Any]:
    """Return the typed dictionaries that one inherits from; before Python 3.12 only the source says which."""
    (node,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(node, ast.ClassDef)
    bases = (getattr(report, ast.unparse(base), None) for base in node.bases)
    return [base for base in bases if base is not None and typing.is_typeddict(base)]


def explained(text: str, names: set[str]) -> tuple[str, dict[str, str]]:
    """Split a docstring into its prose and the meaning of each field, which it writes as ``name, name: meaning;``.

    >>> explained("A part. number: from 1; low, high: the ends.", {"number", "low", "high"})
    ('A part.', {'number': 'from 1', 'low': 'the ends', 'high': 'the ends'})
    """
    text = _roles(" ".join(text.split()))
    entry = re.compile(rf"(?:^|(?<=[.;] ))((?:{_any(names)})(?:, (?:and )?(?:{_any(names)}))*): ")
    entries = list(entry.finditer(text))
    ends = [each.start() for each in entries[1:]] + [len(text)]
    meanings = {}
    for each, end in zip(entries, ends, strict=False):
        meaning = text[each.end() : end].strip().rstrip(".;")
        meanings.update(dict.fromkeys(re.split(r", (?:and )?", each[1]), meaning))
    return text[: entries[0].start() if entries else len(text)].strip(), meanings


def _any(names: set[str]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


def _roles(text: str) -> str:
    """Turn roles of docstrings into links to a section of the page, or code."""
    names = {name for name, each in vars(report).items() if typing.is_typeddict(each)}

    def link(role: re.Match[str]) -> str:
        name = role[1].rpartition(".")[2]
        return f"[{name}](#{name.lower()})" if name in names else f"`{role[1].lstrip('.~')}`"

    return re.sub(r"``([^`]+)``", r"`\1`", re.sub(r":\w+:`([^`]+)`", link, text))


def _type(hint: Any) -> str:
    """Return a type in words of Python, with a link to the section of a typed dictionary."""
    if typing.is_typeddict(hint):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    origin, inside = typing.get_origin(hint), [_type(each) for each in typing.get_args(hint)]
    if origin in (list, dict):
        return f"{origin.__name__} of {' → '.join(inside)}"
    if inside:
        return " or ".join(inside)
    return {"NoneType": "None", "Any": "any"}.get(getattr(hint, "__name__", ""), getattr(hint, "__name__", str(hint)))


def holes() -> str:
    """Return the grammar of hole descriptions."""
    return f"```text\n{grammar()}\n```"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *[[_cell(each) for each in row] for row in rows]]
    return "\n".join(f"| {' | '.join(' '.join(cell.split()) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    """Escape the bars of a cell, but in code, where they split nothing and a backslash would be shown."""
    return "".join(each if each.startswith("`") else each.replace("|", "\\|") for each in re.split(r"(`[^`]*`)", text))


BUILDERS: dict[str, Callable[[], str]] = {"methods": methods, "commands": commands, "reports": reports, "holes": holes}
