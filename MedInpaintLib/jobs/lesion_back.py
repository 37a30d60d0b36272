"""Put the lesion back into a segmentation that was made of the filled image."""

from __future__ import annotations

import dataclasses
import time
from typing import ClassVar

from ..progress import Progress
from ..report import LesionBackReport
from .job_file import JobFile


@dataclasses.dataclass(frozen=True)
class LesionBackJob(JobFile):
    """One lesion that is put back, see :func:`MedInpaintLib.lesion_back`.

    Attributes:
        job: ``"lesion-back"``.
        segmentation: the label map to read.
        mask: of the lesion, to read.
        output: the label map to write; its ending says the format.
        report: where to write the report as JSON, or None.
        table: where to write the regions as TSV, or None.
        names: a table with the names of the labels, or None.
        image: that the segmentation was made of, by which the atlas names labels without names, or None.
        number, cut, numbering, labels, force, allow_empty, allow_outside_data: as in :func:`MedInpaintLib.lesion_back`.
        compress: write a compressed file where the format can.
    """

    KIND: ClassVar[str] = "lesion-back"
    PATHS: ClassVar[tuple[str, ...]] = ("segmentation", "mask", "output", "report", "table", "names", "image")

    output: str
    segmentation: str
    mask: str
    report: str | None = None
    table: str | None = None
    number: int | str | None = None
    cut: bool = False
    numbering: str = "auto"
    names: str | None = None
    image: str | None = None
    labels: list[int | str] | None = None
    force: bool = False
    allow_empty: bool = False
    allow_outside_data: bool = False
    compress: bool = True

    def run(self, progress: Progress | None = None) -> LesionBackReport:
        """Put the lesion back, and write the segmentation, the report and the table."""
        from ..files import check_folder
        from ..io.formats import check_writable
        from ..segmentation.lesion_back import lesion_back

        start, progress = time.perf_counter(), progress or Progress()
        self.check_outputs(
            {"segmentation": self.segmentation, "mask": self.mask, "table of names": self.names, "image": self.image},
            {"output": self.output, "report": self.report, "table": self.table},
        )
        check_writable(self.output)
        for path in (self.report, self.table):
            if path is not None:
                check_folder(path)
        result = lesion_back(
            self.segmentation,
            self.mask,
            number=self.number,
            cut=self.cut,
            numbering=self.numbering,
            names=self.names,
            image=self.image,
            labels=self.labels,
            force=self.force,
            allow_empty=self.allow_empty,
            allow_outside_data=self.allow_outside_data,
            progress=progress.part(0.0, 0.7),
        )
        result.report["seconds"]["total"] = round(time.perf_counter() - start, 4)
        progress.update(0.75, "Writing")
        result.save(self.output, self.report, self.table, compress=self.compress)
        progress.update(1.0, "Done")
        return result.report
