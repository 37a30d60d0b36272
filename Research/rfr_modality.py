"""The study `rfr-modality`: the same network on squares of 32 pixels in X-ray films and in CT slices.

Trains nothing: it reads the tables of `rfr-hole-size` and `rfr-holes-ct`, which lie in the folders beside its own.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.files import make_folder, write_text

from . import rfr_hole_size, rfr_holes_ct
from .shared.cases import Case
from .shared.comparison import BASE, mean, of_condition
from .shared.conventions import MOST
from .shared.curves import CAPTION, PICTURE, TABLE, draw_curves, read_curves
from .shared.facts import read_facts
from .shared.statistics import CONFIDENCE, LEAST_PEOPLE, Difference, Verdict, difference_of_groups
from .shared.study import Study
from .shared.study_page import networks_table, picture, read_cases
from .shared.tables import gains_by_person

NAME = "rfr-modality"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of images, and where its network was measured.

    Attributes:
        label: in tables.
        unit: of its intensities, and of RMSE.
        study: that trained the network.
        arm, condition: labels of the network and of its own holes in that study.
    """

    label: str
    unit: str
    study: Study
    arm: str
    condition: str

    @property
    def title(self) -> str:
        """The label at the beginning of a sentence."""
        return self.label[0].upper() + self.label[1:]


FILMS = Kind("films", "grey levels", rfr_hole_size.STUDY, "1/8", "Squares of 1/8")
SLICES = Kind("CT slices", "HU", rfr_holes_ct.STUDY, "1 square", "1 square a slice")
KINDS = (FILMS, SLICES)


@dataclasses.dataclass(frozen=True)
class Measured:
    """What the study of a kind measured.

    Attributes:
        kind: of the images.
        cases: with the network's own holes.
        facts: of the study's page.
    """

    kind: Kind
    cases: list[Case]
    facts: Mapping[str, Any]

    @property
    def people(self) -> int:
        """The number of people who were tested."""
        return len({case["subject"] for case in self.cases})

    @property
    def ranges(self) -> str:
        """The range R of the images, with its unit."""
        return f"{' and '.join(f'{each:g}' for each in sorted({case['range'] for case in self.cases}))} {self.unit}"

    @property
    def unit(self) -> str:
        """The unit of intensities."""
        return self.kind.unit

    @property
    def network(self) -> Mapping[str, Any]:
        """The facts about the network, named as its images."""
        network = next(each for each in self.facts["networks"] if each["network"] == self.kind.arm)
        return {**network, "network": self.kind.label}


#: Person -> scores.
ByPerson = Mapping[str, Sequence[float]]


def level(metric: str, measured: Measured) -> ByPerson:
    """Return the network's scores."""
    return _by_person(measured, lambda row, _: row[metric])


def gain(metric: str, measured: Measured) -> ByPerson:
    """Return the network's gains over the thin plate."""
    return gains_by_person(measured.cases, measured.kind.arm, BASE, metric)


def accuracy(measured: Measured) -> ByPerson:
    """Return the network's RMSE as a share of the range R, negative, so that more is better."""
    return _by_person(measured, lambda row, case: -row["rmse"] / case["range"])


def _by_person(measured: Measured, value: Callable[[Mapping[str, Any], Case], float]) -> ByPerson:
    """Return person -> what ``value`` returns for each row of the network and its case."""
    values: dict[str, list[float]] = {}
    for case in measured.cases:
        own = [value(row, case) for row in case["scores"] if row["method"] == measured.kind.arm]
        values.setdefault(case["subject"], []).extend(own)
    return values


_FILLED = {Verdict.BETTER: "films are filled better", Verdict.WORSE: "CT slices are filled better"}
#: For scores at ranges that differ.
_SCORED = {Verdict.BETTER: "films have the better score", Verdict.WORSE: "CT slices have the better score"}
_GAINED = {Verdict.BETTER: "the network gains more on films", Verdict.WORSE: "the network gains more on CT slices"}
#: Row of the table of findings -> metric, scores by person, and verdicts in words.
COMPARED: dict[str, tuple[str, Callable[[Measured], ByPerson], Mapping[Verdict, str]]] = {
    "SSIM": ("ssim", functools.partial(level, "ssim"), _FILLED),
    "gain in SSIM over the thin plate": ("ssim", functools.partial(gain, "ssim"), _GAINED),
    "gain in PSNR over the thin plate": ("psnr", functools.partial(gain, "psnr"), _GAINED),
    "PSNR, each at its own range": ("psnr", functools.partial(level, "psnr"), _SCORED),
    "RMSE / range": ("rmse", accuracy, _SCORED),
}


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog=f"python -m Research {NAME}",
        description=f"Compare films with CT slices by the tables of {FILMS.study.name} and {SLICES.study.name}.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("docs/experiments"), help="folder of the pages of all three studies"
    )
    folder = parser.parse_args(arguments).out / NAME
    make_folder(folder)
    both = {each.label: read_curves(_beside(folder, each) / TABLE)[each.arm] for each in KINDS}
    draw_curves(both, folder / PICTURE)
    write_text(folder / "README.md", text(folder))
    print(folder / "README.md")


def text(folder: Path) -> str:
    """Return the page.

    Args:
        folder: of the page; the tables are in the folders of the two studies beside it.
    """
    films, slices = (_read(folder, each) for each in KINDS)
    parts = [
        "# X-ray against CT",
        "The same network of recurrent feature reasoning learns to fill squares of 32 pixels, once in chest films of "
        "256 pixels (1/8 of the side), once in CT slices. Where is it closer to the truth, and where does it add more "
        "to a thin plate?",
        "## Findings",
        _findings(films, slices),
        f"A difference is positive where films have the better score, also for RMSE, of which less is better; in "
        f"brackets: {CONFIDENCE * 100:g} % interval over people; [how a verdict is read](#how-it-was-measured).",
        f"SSIM and the gains lead, because PSNR and RMSE depend on the range R that counts as 1: {films.ranges} for "
        f"films, {slices.ranges} for CT slices. Lungs and air lie outside that range of CT, so an error there can be "
        "larger than R. A higher score says that such holes are easier to fill; a larger gain, that the network adds "
        "more than a smooth fill.",
        "## Scores",
        _levels(films, slices),
        f"Means over images; `{BASE}` is the thin plate.",
        *(_fills(each) for each in (films, slices)),
        "## Trainings",
        f"![Validation against updates]({PICTURE})",
        f"*{CAPTION} For CT slices that is all that a scanner gives, more than R above; for films, from the 0.5 to the "
        "99.5 percentile of each.*",
        networks_table([each.network for each in (films, slices)]),
        "## How it was measured",
        _protocol(films, slices),
    ]
    return "\n\n".join(parts) + "\n"


def _beside(folder: Path, kind: Kind) -> Path:
    """Return the folder of the study of a kind, which lies beside that of this page."""
    return folder.parent / kind.study.name


def _read(folder: Path, kind: Kind) -> Measured:
    """Read what the study of a kind measured with the network's own holes."""
    beside = _beside(folder, kind)
    cases = of_condition(read_cases(kind.study, beside), kind.condition)
    return Measured(kind, cases, read_facts(beside))


def _findings(films: Measured, slices: Measured) -> str:
    """Return a table of what is compared: the verdict, and the difference that it is read from."""
    lines = ["| score | verdict | films - CT slices |", "|---|---|---:|"]
    for title, (metric, scores, words) in COMPARED.items():
        difference = difference_of_groups(scores(films), scores(slices), metric, trained=True)
        lines.append(f"| {title} | {_in_words(difference, words)} | {difference} |")
    return "\n".join(lines)


def _in_words(difference: Difference, words: Mapping[Verdict, str]) -> str:
    """Return the verdict on a difference."""
    return words.get(difference.verdict, difference.verdict.value)


def _levels(films: Measured, slices: Measured) -> str:
    """Return a table of the mean scores of the thin plate and of the network for each kind of images."""
    lines = ["| images | method | SSIM | PSNR, dB | RMSE | people |", "|---|---|---:|---:|---:|---:|"]
    for each in (films, slices):
        for method, name in ((BASE, BASE), (each.kind.arm, "RFR")):
            ssim, psnr, rmse = (mean(each.cases, method, metric) for metric in ("ssim", "psnr", "rmse"))
            lines.append(
                f"| {each.kind.label} | {name} | {ssim:.3f} | {psnr:.2f} | {rmse:.1f} {each.unit} | {each.people} |"
            )
    return "\n".join(lines)


def _fills(measured: Measured) -> str:
    """Return the picture of fills on the page of the study of a kind, with its caption."""
    kind = measured.kind
    labels = [condition.label for condition in kind.study.conditions]
    path = f"../{kind.study.name}/{picture(labels.index(kind.condition) + 1)}"
    shown = measured.facts["pictures"][kind.condition]
    return (
        f"![Fills of {kind.label}]({path})\n\n*{kind.title}: {shown['image']}, in which the gain "
        f"of `{shown['arm']}` is the median, from [{kind.study.name}](../{kind.study.name}/README.md).*"
    )


def _protocol(films: Measured, slices: Measured) -> str:
    """Return how the numbers were measured and how they are read."""
    parts = [_training(each) for each in (films, slices)]
    return (
        f"{' '.join(parts)} Scores are over the hole (convention `masked`; PSNR up to {MOST:g} dB).\n\n"
        "The people are different, so nothing is paired: scores are averaged over each person's images and then over "
        "people, and the interval of the difference of the two means is that of Welch's t-test. It holds the chance of "
        "who is tested, not that of the training. So a verdict needs at least "
        f"{LEAST_PEOPLE} people of each kind, an interval that leaves out 0, and a difference larger than "
        "[those between trainings by the same recipe](../seeds/README.md), which are not known for RMSE.\n\n"
        f"Made from the tables of the two studies by\n\n    python -m Research {NAME}"
    )


def _training(measured: Measured) -> str:
    """Return how the network of a kind was trained and tested."""
    facts, kind = measured.facts, measured.kind
    study = kind.study.name
    return (
        f"{kind.title}: network `{kind.arm}` of [{study}](../{study}/README.md), {facts['steps']} "
        f"steps of {facts['batch']} frames on {facts['cases']} holes, tested on "
        f"{len({case['image'] for case in measured.cases})} images of {measured.people} people, split "
        f"**{facts['split']}**."
    )
