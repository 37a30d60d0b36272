"""The claims, as claims.toml holds them."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from MedInpaintLib.documents import read_toml
from MedInpaintLib.errors import InputError

FILE = Path(__file__).with_name("claims.toml")


class Answer(enum.Enum):
    """The possible verdicts on a claim, with what each means."""

    HOLDS = "holds"
    IN_PART = "holds in part"
    NOT = "does not hold"
    UNCLEAR = "cannot be told apart"
    TOO_FEW = "too few people to tell"
    AS_CLAIMED = "implemented as claimed"
    DIFFERS = "differs"
    NOT_YET = "not tested yet"
    NOT_MEASURED = "not measured"
    ONE_TRAINING = "one training each"
    OUT = "out of scope"


#: Answer -> what it means, on the page.
MEANINGS = {
    Answer.HOLDS: "every difference is clear and has the direction that was claimed; where the claim is that a method "
    "is not better, it is not clearly better",
    Answer.IN_PART: "some of the differences are clear and have the direction that was claimed",
    Answer.NOT: "differences are clear, and none has the claimed direction; or the row says what contradicts the claim",
    Answer.UNCLEAR: "no difference is clear, in people enough",
    Answer.TOO_FEW: "differences were measured in too few people to be called clear",
    Answer.AS_CLAIMED: "the project has it, and a test compares it with the formula or with a literal version",
    Answer.DIFFERS: "the project has it in another form, and the row says in which and why",
    Answer.NOT_YET: "nothing here tests the claim; where something close was tested, the row says what",
    Answer.NOT_MEASURED: "a study is there whose table does not hold the comparison",
    Answer.ONE_TRAINING: "each network was trained once, so the numbers may be chance, and there is no verdict",
    Answer.OUT: "the project does not deal with it",
}
#: What a claim expects of each difference: the first is better, worse, or not better, or there is no difference.
EXPECTATIONS = ("better", "worse", "not better", "same")


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two methods in a table of scores, of which the first is judged.

    Attributes:
        of: what is compared, in words.
        table: of scores, below ``docs``.
        task: in the table; for contrasts ``WANTED from SEEN``.
        first, second: methods; or, for the second, a number that a score is compared with.
        second_task: the task of the second method where it is another one; pairs are then images, not holes.
        minus: two more methods; what the first of these gains over the second is subtracted.
        metric: that is compared, or :data:`..shared.statistics.TEXTURE`, which follows from one.
        trained: whether the two differ by the training of a network.
        expect: what is claimed, of :data:`EXPECTATIONS`.
    """

    of: str
    table: str
    task: str
    first: str
    second: str | float
    second_task: str = ""
    minus: tuple[str, ...] = ()
    metric: str = "psnr"
    trained: bool = True
    expect: str = "better"


@dataclasses.dataclass(frozen=True)
class Number:
    """A number that a row shows: over holes the median, or over people the mean of their means.

    Attributes:
        table: of scores, below ``docs``.
        task, method, metric: in the table.
        how: ``"mean"`` or ``"median"``.
    """

    table: str
    task: str
    method: str
    metric: str = "psnr"
    how: str = "mean"


@dataclasses.dataclass(frozen=True)
class Claim:
    """A row of the page.

    Attributes:
        number: of the claim.
        claim: what the source says or uses.
        links: files of the repository, with a heading or a test where one is meant: ``FILE.md#HEADING``,
            ``FILE.py::TEST``.
        found: in words; names in braces are replaced by :attr:`numbers`.
        on: the data or the network that it was found with.
        answer: where it does not follow from the comparisons.
        rest: what of the claim is open, said after the answer.
        compare: what is compared in tables of scores.
        numbers: by their names in :attr:`found`.
        trainings: the name of a function of :mod:`.trainings` that says what was found, where it is not in scores.
    """

    number: int
    claim: str
    links: tuple[str, ...] = ()
    found: str = ""
    on: str = ""
    answer: Answer | None = None
    rest: str = ""
    compare: tuple[Comparison, ...] = ()
    numbers: Mapping[str, Number] = dataclasses.field(default_factory=dict)
    trainings: str = ""


@dataclasses.dataclass(frozen=True)
class Source:
    """One of the sources.

    Attributes:
        title: heading of its claims.
        about: who says it, and where.
        claims: in order.
    """

    title: str
    about: str
    claims: tuple[Claim, ...]


def read_sources(path: Path = FILE) -> tuple[Source, ...]:
    """Return the sources with their claims.

    Raises:
        InputError: the file cannot be read, or a row says too little or something unknown.
    """
    document = read_toml(path, f"The list of claims '{path}'", InputError)
    return tuple(
        Source(each["title"], each["about"], tuple(_claim(row) for row in each["claim"])) for each in document["source"]
    )


def _claim(row: dict[str, Any]) -> Claim:
    """Return a row of the file as an object; what it says of all its comparisons is put into each."""
    try:
        common = {name: row.pop(name) for name in ("table", "metric", "trained", "expect") if name in row}
        compare = tuple(
            Comparison(**{**common, **each, "minus": tuple(each.get("minus", ()))}) for each in row.pop("compare", ())
        )
        table = {name: common[name] for name in ("table",) if name in common}
        numbers = {name: Number(**{**table, **each}) for name, each in row.pop("numbers", {}).items()}
        answer = Answer(row.pop("answer")) if "answer" in row else None
        links = tuple(row.pop("links", ()))
        claim = Claim(links=links, answer=answer, compare=compare, numbers=numbers, **row)
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"The claim {row.get('number', '')} cannot be read: {error}.") from None
    if not {each.expect for each in compare} <= set(EXPECTATIONS) or not (claim.answer or compare or claim.trainings):
        raise InputError(f"The claim {claim.number} has neither an answer nor comparisons with an expectation.")
    return claim
