"""The methods in groups, in the order in which a user would try them.

A method gets its group from what it needs and from its family, so a new one needs no change here.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from slicer.i18n import tr as _

#: Within a group, these come first; all others follow in alphabetical order.
_FIRST = ("patch-regression", "biharmonic", "patch", "consensus", "mirror", "unet", "unet-3d", "pconv", "linear-z")

#: Family -> number of its group; other families are in the last one.
_GROUP_OF_FAMILY = {
    "PDE": 0,
    "patch": 0,
    "symmetry": 1,
    "consensus": 1,
    "atlas": 1,
    "learned": 2,
    "tissue": 3,
}
_OTHER_IMAGES, _OTHERS = 4, 5


def ordered(methods: Mapping[str, Any]) -> list[str]:
    """Return the names of methods in the order in which a user would try them.

    Args:
        methods: name -> ``MethodInfo``.
    """
    return sorted(methods, key=lambda name: (_groupOf(methods[name]), _rank(name), methods[name].title.lower()))


def rows(methods: Mapping[str, Any], unavailable: Collection[str] = ()) -> list[tuple[str | None, str]]:
    """Return the rows of a list of methods: name and title of "Automatic", then of the methods, below their groups.

    Args:
        methods: name -> ``MethodInfo``.
        unavailable: the names of those that cannot run; they come last.

    Returns:
        ``(name, title)``; the headings of groups have no name.
    """
    lines: list[tuple[str | None, str]] = [("auto", _("Automatic"))]
    names = ordered(methods)
    for number, title in enumerate(_titles()):
        own = [name for name in names if _groupOf(methods[name]) == number and name not in unavailable]
        lines += _group(title, own, methods)
    return lines + _group(_("Cannot run here"), [name for name in names if name in unavailable], methods)


def _group(title: str, names: Iterable[str], methods: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    members: list[tuple[str | None, str]] = [(name, methods[name].title) for name in names]
    return [(None, _("— {group} —").format(group=title)), *members] if members else []


def _titles() -> tuple[str, ...]:
    return (
        _("From the surroundings"),
        _("From the other side or the atlas"),
        _("Trained networks"),
        _("For lesions"),
        _("From other images"),
        _("Simple fills"),
    )


def _groupOf(info) -> int:
    if info.needs_guides or info.needs_exemplars:
        return _OTHER_IMAGES
    return _GROUP_OF_FAMILY.get(info.family, _OTHERS)


def _rank(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)
