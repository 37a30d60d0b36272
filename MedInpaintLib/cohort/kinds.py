"""The kinds of jobs that there are cohorts of."""

from __future__ import annotations

from typing import Any

from ..jobs.job_file import JobFile
from .case import CaseKind
from .evaluate import Evaluate
from .fill import Fill
from .fill_together import FillTogether
from .impute import Impute
from .lesion_back import LesionBack

#: By the class of their jobs.
KINDS: dict[type[JobFile], CaseKind[Any]] = {
    kind.job: kind for kind in (Fill(), FillTogether(), Evaluate(), Impute(), LesionBack())
}


def kind_of(job: JobFile) -> CaseKind[Any]:
    """Return what a cohort knows of jobs like this one."""
    return KINDS[type(job)]


def kind_named(name: str) -> CaseKind[Any]:
    """Return what a cohort knows of the jobs of this name."""
    return {kind.job.KIND: kind for kind in KINDS.values()}[name]


def register(kind: CaseKind[Any]) -> None:
    """Add a kind of jobs.

    The module that defines the jobs does so: worker processes import it with the first case that they get.
    """
    KINDS[kind.job] = kind
