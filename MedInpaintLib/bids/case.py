"""One image of a BIDS dataset as a case of a cohort: a fill with its guides chosen and its sidecars written."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, ClassVar

from ..cohort.fill import Fill
from ..cohort.kinds import register
from ..errors import EmptyMaskError, MaskError
from ..files import write_json
from ..io.four_d import volumes_in
from ..jobs.fill import FillJob
from ..progress import Progress
from ..report import FillReport
from .guides import Choice, choose_guides
from .sidecars import BidsReport, read_metadata, sidecar_of_image, sidecar_of_mask, sidecar_of_uncertainty

_SIDECARS = ("sidecar", "filled_mask_sidecar", "uncertainty_sidecar")


@dataclasses.dataclass(frozen=True)
class BidsFillJob(FillJob):
    """A fill of an image in a BIDS dataset.

    Attributes:
        guides: all contrasts that may guide the fill; those that fit are chosen when it runs.
        metadata: JSON files that apply to the image, the most general first.
        sidecar, filled_mask_sidecar, uncertainty_sidecar: where to write the JSON files beside the outputs.
        image_uri, mask_uri, guide_uris: BIDS URIs of the inputs.
        refusal: why the image cannot be filled, as the names of its masks tell, or None.
    """

    KIND: ClassVar[str] = "bids-fill"
    PATHS: ClassVar[tuple[str, ...]] = (*FillJob.PATHS, "metadata", *_SIDECARS)

    metadata: list[str] = dataclasses.field(default_factory=list)
    sidecar: str | None = None
    filled_mask_sidecar: str | None = None
    uncertainty_sidecar: str | None = None
    image_uri: str | None = None
    mask_uri: str | None = None
    guide_uris: list[str] = dataclasses.field(default_factory=list)
    refusal: str | None = None

    def run(self, progress: Progress | None = None) -> FillReport:
        return BidsFill().run(self, progress or Progress())[1]

    def fill_with(self, choice: Choice) -> FillJob:
        """Return the fill itself, with the guides that fit."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(FillJob)}
        return FillJob(**{**fields, "job": FillJob.KIND, "guides": [self.guides[number] for number in choice.kept]})


class BidsFill(Fill):
    """Fills in a BIDS dataset."""

    job = BidsFillJob
    reads = (*Fill.reads, "metadata")
    writes = (*Fill.writes, *_SIDECARS)
    columns = (*Fill.columns, "guides", "guides_left_out")

    def check(self, job: FillJob) -> None:
        assert isinstance(job, BidsFillJob)
        if job.refusal is None:
            super().check(job)

    def run(self, job: FillJob, progress: Progress) -> tuple[str, FillReport]:
        assert isinstance(job, BidsFillJob)
        if job.refusal is not None:
            raise MaskError(job.refusal)
        metadata = read_metadata(job.metadata)
        progress.update(0.0, "Choosing guides")
        choice = _choose_guides(job)
        fill = job.fill_with(choice)
        status, report = super().run(fill, progress)
        names = [os.path.basename(guide) for guide in fill.guides]
        whole = BidsReport(**report, status=status, guides=names, guides_left_out=choice.left_out)
        _write_sidecars(job, whole, choice, metadata)
        return status, whole

    def facts(self, report: Any) -> dict[str, Any]:
        left_out = "; ".join(f"{name}: {why}" for name, why in report["guides_left_out"].items())
        return {**super().facts(report), "guides": "; ".join(report["guides"]), "guides_left_out": left_out}


def _choose_guides(job: BidsFillJob) -> Choice:
    """Return the guides that fit the image, or the first volume with a hole of a 4-D one; none without a hole."""
    for volume in range(volumes_in(job.mask)) if job.mask is not None and job.is_4d() else [job.volume]:
        try:
            return choose_guides(dataclasses.replace(job, volume=volume))
        except EmptyMaskError:
            continue
    return Choice((), {})


def _write_sidecars(job: BidsFillJob, report: BidsReport, choice: Choice, metadata: dict[str, Any]) -> None:
    """Write the sidecars; a run that is killed before the last one leaves no record, so that all is done again."""
    uris = [uri for uri in (job.image_uri, job.mask_uri) if uri is not None]
    sources = [*uris, *(job.guide_uris[number] for number in choice.kept)]
    if job.sidecar is not None:
        write_json(job.sidecar, sidecar_of_image(report, sources, metadata))
    if job.filled_mask_sidecar is not None:
        write_json(job.filled_mask_sidecar, sidecar_of_mask(report, uris))
    facts = report["uncertainty"]
    if job.uncertainty_sidecar is not None and not (facts and facts["reason"]):
        write_json(job.uncertainty_sidecar, sidecar_of_uncertainty(report, sources, metadata))


register(BidsFill())
