"""The plan of a BIDS dataset: a case for each image that has a lesion mask."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..cohort.case import Case
from ..cohort.plan import Plan, PlanError, problems_of
from ..errors import InputError, ParameterError
from ..texts import escaped
from .case import BidsFill, BidsFillJob
from .derivative import check_folder_of, outputs_for
from .earlier import NO_MASK
from .filters import Selection
from .guides import candidates
from .layout import BidsFile, Dataset, Layout, Visit, datasets_in, scan
from .masks import Match, find_mask, is_lesion_mask

#: The name of the raw dataset in BIDS URIs.
RAW = "raw"
#: A message names no more images than this.
NAMED = 20


@dataclasses.dataclass(frozen=True)
class Study:
    """A BIDS dataset with what belongs to it.

    Attributes:
        raw: the dataset with the images.
        derivatives: the datasets with masks and guides.
        masks_in_raw: whether lesion masks are looked for in the raw dataset, too.
    """

    raw: Dataset
    derivatives: tuple[Dataset, ...]
    masks_in_raw: bool = True

    @classmethod
    def of(cls, bids_dir: Path, output: Path, masks: Sequence[Path] = ()) -> Study:
        """Return a study with the derivatives that the user names, else with all that lie in the dataset.

        Raises:
            InputError: a folder is not there, or there are no participants in it.
        """
        for folder in (bids_dir, *masks):
            if not folder.is_dir():
                raise InputError(f"The folder '{folder}' is not there.")
        if bids_dir not in datasets_in(bids_dir):
            raise InputError(f"'{bids_dir}' is no BIDS dataset: no folder in it is named like sub-01.")
        for folder in masks:
            if folder not in datasets_in(folder):
                raise InputError(f"'{folder}' (--masks) is no BIDS dataset: no folder in it is named like sub-01.")
        own = os.path.realpath(output)
        raw = os.path.realpath(bids_dir)
        folders = [
            folder
            for folder in (masks or datasets_in(bids_dir / "derivatives"))
            if os.path.realpath(folder) not in (own, raw)
        ]
        in_raw = not masks or any(os.path.realpath(folder) == raw for folder in masks)
        return cls(Dataset(bids_dir, RAW), tuple(_named(folders)), in_raw)


def plan_of_bids(
    study: Study,
    output: Path,
    selection: Selection,
    *,
    options: Mapping[str, Any] | None = None,
    uncertainty: bool = True,
    page: bool = True,
) -> Plan:
    """Return the plan of a BIDS dataset; no image is opened for it.

    Args:
        study: the dataset.
        output: folder of the derivative.
        selection: what to fill.
        options: fields for all jobs.
        uncertainty: whether uncertainties are written.
        page: whether pages are written.

    Raises:
        InputError: labels are unknown, or there are no such images.
        PlanError: with all that is wrong.
    """
    if (options or {}).get("samples"):
        raise ParameterError("Samples have no names in BIDS; 'medinpaint fill' and 'medinpaint cohort' write them.")
    check_folder_of(output, study.raw.folder)
    raw = scan(study.raw, selection.wants)
    _check_labels(raw, selection, study)
    others = [scan(dataset, selection.wants) for dataset in study.derivatives]
    cases: list[Case] = []
    idle: dict[str, str] = {}
    for image, match, near in _matches(study, raw, others, selection):
        name = str(dataclasses.replace(image.name, ending=""))
        if match.mask is None and not match.refusal:
            idle[name] = NO_MASK
            continue
        fields = {
            **(options or {}),
            **_inputs(image, match, near, raw),
            **outputs_for(image.name, output, uncertainty=uncertainty, page=page),
        }
        cases.append(Case(name, BidsFillJob(job=BidsFillJob.KIND, **fields), f"'{image.inside}'"))
    if not cases and not idle:
        raise InputError(
            f"There is no image to fill in '{study.raw.folder}' with the suffix {' or '.join(selection.contrasts)} "
            "in the folders anat of the chosen participants and sessions; see --contrast and --bids-filter-file."
        )
    warnings = (*_misplaced([raw, *others]), *_without(idle))
    plan = Plan(tuple(cases), BidsFill(), output, warnings=warnings, idle=idle, label=selection.label)
    problems = problems_of(plan)
    if problems:
        raise PlanError(problems)
    return plan


def _matches(
    study: Study, raw: Layout, others: Sequence[Layout], selection: Selection
) -> Iterator[tuple[BidsFile, Match, list[BidsFile]]]:
    """Yield each image to fill, its mask, and all files of its visit."""
    for visit, files in raw.files.items():
        near = [*files, *_of_visit(others, visit)]
        masks = [
            file
            for file in near
            if is_lesion_mask(file.name)
            and selection.wants_mask(file.name)
            and (study.masks_in_raw or file.dataset != study.raw)
        ]
        images = [file for file in files if selection.wants_image(file.name)]
        for image in images:
            alike = [each for each in images if each.name.suffix == image.name.suffix]
            yield image, find_mask(image, alike, masks), near


def _inputs(image: BidsFile, match: Match, near: Sequence[BidsFile], raw: Layout) -> dict[str, Any]:
    """Return the fields of a job about its inputs."""
    if match.mask is None:
        return {"image": image.path, "image_uri": image.uri, "refusal": match.refusal}
    guides = candidates(image, near)
    return {
        "image": image.path,
        "image_uri": image.uri,
        "mask": match.mask.path,
        "mask_uri": match.mask.uri,
        "guides": [guide.path for guide in guides],
        "guide_uris": [guide.uri for guide in guides],
        "metadata": [file.path for file in raw.metadata_of(image)],
    }


def _of_visit(layouts: Sequence[Layout], visit: Visit) -> Iterator[BidsFile]:
    for layout in layouts:
        yield from layout.files.get(visit, ())


def _check_labels(raw: Layout, selection: Selection, study: Study) -> None:
    """Check that all chosen labels are there; raises InputError."""
    missing = [label for label in selection.participants if label not in raw.labels]
    if missing:
        raise InputError(
            f"There is no participant {', '.join(missing)} in '{study.raw.folder}'; there are "
            f"{_some(raw.labels)} (--participant-label)."
        )
    sessions = {session for _, session in raw.files}
    missing = [label for label in selection.sessions if label not in sessions]
    if missing:
        raise InputError(
            f"There is no session {', '.join(missing)} with anatomical images in '{study.raw.folder}' "
            "(--session-label)."
        )


def _misplaced(layouts: Sequence[Layout]) -> Iterator[str]:
    for layout in layouts:
        for path in layout.misplaced:
            yield f"'{escaped(path)}' is not used: its name tells another participant or session than its folder."


def _without(idle: Mapping[str, str]) -> Iterator[str]:
    if idle:
        count = len(idle)
        images, them = ("1 image has", "it") if count == 1 else (f"{count} images have", "them")
        yield f"{images} no lesion mask, and nothing is done for {them}: {_some(list(idle))}."


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _named(folders: Sequence[Path]) -> Iterator[Dataset]:
    """Yield datasets with names for BIDS URIs, each another one."""
    taken = {RAW}
    for folder in folders:
        stem = re.sub(r"[^0-9A-Za-z]+", "", folder.resolve().name) or "derivative"
        name = next(name for name in (stem, *(f"{stem}{number}" for number in range(2, 10_000))) if name not in taken)
        taken.add(name)
        yield Dataset(folder, name)
