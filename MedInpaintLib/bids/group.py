"""The level ``group``: the tables over all that is done, without filling anything."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

from ..cohort.plan import Plan
from ..cohort.run import CasesFailedError, Emit, run
from .earlier import Earlier, recorded_names, with_images, with_page_that_is_there
from .names import parse
from .overview import write_overview


def summarize(plan: Plan, emit: Emit, raw: Path, wants: Callable[[str, str | None], bool]) -> None:
    """Write the tables over all images of a plan, and over those of earlier runs with other contrasts or masks.

    Args:
        plan: the images that should be filled.
        emit: see :func:`.cohort.run.run`.
        raw: folder of the dataset with the images.
        wants: returns whether a visit is chosen.

    Raises:
        CasesFailedError: some are not filled.
    """
    folder = plan.folder
    earlier = Earlier.of(folder.glob("summary*.tsv"), folder.glob("failures*.tsv"))
    known = {*(case.id for case in plan.cases), *plan.idle}
    done = recorded_names(plan.records, plan.cases) if plan.records.is_dir() else ()
    others = {**earlier.statuses, **dict.fromkeys(earlier.reasons, ""), **dict.fromkeys(done, "")}
    chosen = {name: status for name, status in others.items() if name not in known and _is_wanted(name, wants)}
    plan = with_images(plan, chosen, raw)
    plan = dataclasses.replace(plan, cases=tuple(map(with_page_that_is_there, plan.cases)))
    try:
        run(plan, earlier, emit, at_once=1, write=functools.partial(write_overview, raw=raw, known=known))
    except CasesFailedError:
        raise CasesFailedError(
            f"Not all images are filled, see '{plan.file('failures.tsv')}'; the level participant fills them."
        ) from None


def _is_wanted(name: str, wants: Callable[[str, str | None], bool]) -> bool:
    parsed = parse(f"{name}.nii.gz")
    return parsed is not None and wants(parsed.entities.get("sub", ""), parsed.entities.get("ses"))
