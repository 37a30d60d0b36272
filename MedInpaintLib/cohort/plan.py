"""Plans: all cases of a study, checked before the first of them is begun. No image is opened for that."""

from __future__ import annotations

import dataclasses
import functools
import os
import unicodedata
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from .case import Case, CaseKind
from .kinds import kind_of

#: A message lists no more problems than this.
LISTED = 20


class PlanError(InputError):
    """A study that cannot be begun.

    Attributes:
        problems: one line each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        super().__init__(f"The study has {count} problem{'s' if count > 1 else ''}, so nothing was run; correct it.")

    def lines(self) -> list[str]:
        """Return the problems, some of them where there are many."""
        more = len(self.problems) - LISTED
        return [*self.problems[:LISTED], *([f"... and {more} more"] if more > 0 else [])]


@dataclasses.dataclass(frozen=True)
class Plan:
    """All cases of a study, or a part of them.

    Attributes:
        cases: in the order of the user's table or of their names.
        kind: of their jobs; rows of a table may be of a related one, see :meth:`.CaseKind.of_row`.
        folder: for the summary, the failures and the records.
        sources: files from which the plan was made, which no output may overwrite.
        warnings: one line each.
        part: ``(3, 20)`` for the third of twenty parts, else None.
        idle: images that need nothing, which the summary lists: id -> why.
        label: of a run that is about some of a study's cases, for the names of its files; empty for all.
    """

    cases: tuple[Case, ...]
    kind: CaseKind
    folder: Path
    sources: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    part: tuple[int, int] | None = None
    idle: Mapping[str, str] = dataclasses.field(default_factory=dict)
    label: str = ""

    def only(self, number: int, parts: int) -> Plan:
        """Return one part of the plan: each case is in exactly one of the parts, and neighbors are in different ones.

        Args:
            number: from 1.
            parts: how many there are.
        """
        idle = dict(list(self.idle.items())[number - 1 :: parts])
        return dataclasses.replace(self, cases=self.cases[number - 1 :: parts], idle=idle, part=(number, parts))

    def file(self, name: str) -> Path:
        """Return the path of a file about this plan in its folder; parts and labels have files of their own.

        >>> Plan((), None, Path("out")).only(3, 20).file("summary.tsv").name
        'summary-3-of-20.tsv'
        """
        stem, ending = os.path.splitext(name)
        label = f"-{self.label}" if self.label else ""
        part = "" if self.part is None else f"-{self.part[0]}-of-{self.part[1]}"
        return self.folder / f"{stem}{label}{part}{ending}"

    @property
    def records(self) -> Path:
        """The folder with a record for each case that is done."""
        return self.folder / "records"


def part_of(text: str) -> tuple[int, int]:
    """Read a part such as ``"3/20"``.

    Raises:
        InputError: it is none.
    """
    number, slash, parts = text.partition("/")
    if slash and number.isdecimal() and parts.isdecimal() and len(text) < 20 and 1 <= int(number) <= int(parts):
        return int(number), int(parts)
    raise InputError(f"A part is written as 3/20, the third of twenty; found '{text}'.")


def problems_of(plan: Plan) -> list[str]:
    """Return what is wrong with a plan, one line each.

    That are names that are there twice, options that cannot be used, inputs that are missing, outputs that would
    overwrite an input, another output or a file of the plan, and outputs inside a folder that is read.
    """
    return [*_names(plan), *_options(plan), *_Paths(plan).problems()]


def _names(plan: Plan) -> Iterator[str]:
    first: dict[str, Case] = {}
    for case in plan.cases:
        if case.id in first:
            yield f"{case.origin}: '{case.id}' is also the name of {first[case.id].origin}."
        first.setdefault(case.id, case)


def _options(plan: Plan) -> Iterator[str]:
    for case in plan.cases:
        try:
            kind_of(case.job).check(case.job)
        except InputError as error:
            yield f"{case.origin}: {error}"


class _Paths:
    """The paths of a plan; the file system is asked once for each of them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._real_folder = functools.lru_cache(None)(os.path.realpath)

    def problems(self) -> Iterator[str]:
        """Yield what is wrong, one line each."""
        read: dict[Hashable, str] = {}
        folders: dict[Hashable, str] = {}
        for file in self._plan.sources:
            read |= dict.fromkeys(self._identities(os.fspath(file)), f"the table '{file}'")
        for case in self._plan.cases:
            for name, path in kind_of(case.job).inputs(case.job).items():
                if not os.path.exists(path):
                    yield f"{case.origin}: the {_spoken(name)} '{path}' is not there."
                    continue
                what = f"the {_spoken(name)} of {case.origin}"
                read |= dict.fromkeys(self._identities(path), what)
                if os.path.isdir(path):
                    folders[self._real(path)] = what
        yield from self._of_outputs(read, folders)

    def _of_outputs(self, read: dict[Hashable, str], folders: dict[Hashable, str]) -> Iterator[str]:
        written: dict[Hashable, str] = {}
        for name in ("summary.tsv", "failures.tsv", "index.html", *self._plan.kind.tables):
            written[_folded(self._real(os.fspath(self._plan.folder / name)))] = f"the study's {name}"
        for case in self._plan.cases:
            for name, path in kind_of(case.job).outputs(case.job).items():
                what, real = f"the {_spoken(name)} of {case.origin}", self._real(path)
                for identity in self._identities(path):
                    if identity in read:
                        yield f"{case.origin}: the {_spoken(name)} '{path}' would overwrite {read[identity]}."
                        break
                inside = next((folders[each] for each in _parents(real) if each in folders), None)
                if inside is not None:
                    yield f"{case.origin}: the {_spoken(name)} '{path}' lies in the folder of {inside}."
                other = written.setdefault(_folded(real), what)
                if other is not what:
                    yield f"{case.origin}: the {_spoken(name)} '{path}' is also {other}."

    def _identities(self, path: str) -> list[Hashable]:
        """Return the real path and, where something is there, its number, which hard links share."""
        identities: list[Hashable] = [self._real(path)]
        try:
            status = os.stat(path)
        except OSError:
            return identities
        return [*identities, (status.st_dev, status.st_ino)]

    def _real(self, path: str) -> str:
        """Return the real path; links are looked for in each folder only once."""
        folder, name = os.path.split(os.path.abspath(path))
        path = os.path.join(self._real_folder(folder), name)
        return os.path.normcase(os.path.realpath(path) if os.path.islink(path) else path)


def _parents(path: str) -> Iterator[str]:
    while (parent := os.path.dirname(path)) != path:
        yield parent
        path = parent


def _spoken(field: str) -> str:
    """Return the name of a field for messages."""
    return field.replace("_", " ")


def _folded(path: str) -> str:
    """Return what two names share that are one file where capitals or accents are not told apart."""
    return unicodedata.normalize("NFC", path).casefold()
