"""Write the edges of the atlas, brought onto an image, as a label map."""

from __future__ import annotations

import dataclasses
import time
from typing import ClassVar

from ..progress import Progress
from ..report import AtlasEdgesReport
from .job_file import JobFile


@dataclasses.dataclass(frozen=True)
class AtlasEdgesJob(JobFile):
    """One image whose fit of the atlas is to be judged, see :func:`MedInpaintLib.atlas_edges`.

    Attributes:
        job: ``"atlas-edges"``.
        image, mask: files (or folders with DICOM files) to read.
        output: the label map to write; its ending says the format.
        guides: files with other contrasts of the same subject, as for the fill.
        labels, dilate_mm, modality, force, series, volume, allow_outside_data: as in :class:`.FillOptions`.
        compress: write a compressed file where the format can.
    """

    KIND: ClassVar[str] = "atlas-edges"
    PATHS: ClassVar[tuple[str, ...]] = ("image", "mask", "output", "guides")

    output: str
    image: str
    mask: str
    guides: list[str] = dataclasses.field(default_factory=list)
    labels: list[int | str] | None = None
    dilate_mm: float = 0.0
    modality: str | None = None
    force: bool = False
    series: str | None = None
    volume: int | None = None
    allow_outside_data: bool = False
    compress: bool = True

    def run(self, progress: Progress | None = None) -> AtlasEdgesReport:
        """Bring the atlas onto the image, and write its edges."""
        from ..atlas.edges import NAMES
        from ..inputs import facts_of
        from ..io.formats import check_writable
        from ..pipeline import atlas_edges
        from ..report import now, software

        start, progress = time.perf_counter(), progress or Progress()
        inputs: dict[str, str | None] = {"image": self.image, "mask": self.mask}
        inputs |= {f"guide {number}": path for number, path in enumerate(self.guides, start=1)}
        self.check_outputs(inputs, {"output": self.output})
        check_writable(self.output)
        edges = atlas_edges(
            self.image,
            self.mask,
            guides=self.guides,
            labels=self.labels,
            dilate_mm=self.dilate_mm,
            modality=self.modality,
            force=self.force,
            series=self.series,
            volume=self.volume,
            allow_outside_data=self.allow_outside_data,
            progress=progress.part(0.0, 0.95),
        )
        check_writable(self.output, edges)
        progress.update(0.95, "Writing")
        edges.write(self.output, compress=self.compress)
        progress.update(1.0, "Done")
        return {
            "software": software(),
            "date": now(),
            "device": "cpu",
            "warnings": list(edges.warnings),
            "seconds": {"total": round(time.perf_counter() - start, 4)},
            "image": facts_of(self.image, edges),
            "edges": {str(label): name for label, name in NAMES.items()},
        }
