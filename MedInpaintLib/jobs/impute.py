"""Estimate a missing contrast from others."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import ClassVar

from ..errors import ParameterError
from ..progress import Progress
from ..report import ImputeReport
from ..texts import escaped
from .job_file import JobFile
from .outputs import model_folder


@dataclasses.dataclass(frozen=True)
class ImputeJob(JobFile):
    """One estimate.

    Attributes:
        job: ``"impute"``.
        images: contrast -> file (or folder with one DICOM series).
        target: the contrast that is wanted.
        output: the estimated image; its ending says the format.
        report: where to write the report as JSON, or None.
        like: an image of the wanted contrast whose intensities the result is to have, or None.
        model, reference, register, mirrored, force, allow_outside_data, device: as in :func:`MedInpaintLib.impute`.
        compress: write a compressed file where the format can.
    """

    KIND: ClassVar[str] = "impute"
    PATHS: ClassVar[tuple[str, ...]] = ("images", "output", "report", "like")

    output: str
    images: dict[str, str]
    target: str
    report: str | None = None
    like: str | None = None
    model: str = "auto"
    reference: str | None = None
    register: bool = False
    mirrored: bool = False
    force: bool = False
    allow_outside_data: bool = False
    device: str = "auto"
    compress: bool = True

    def run(self, progress: Progress | None = None) -> ImputeReport:
        import numpy as np

        from ..files import check_folder
        from ..imputation.impute import impute
        from ..io.formats import check_writable
        from ..volume import Volume

        progress = progress or Progress()
        if not self.images:
            raise ParameterError("The job's field 'images' is empty; give one contrast or more.")
        inputs: dict[str, str | None] = {f"{name} image": path for name, path in self.images.items()}
        inputs |= {"image that the result is to be like": self.like, "model": model_folder({"model": self.model})}
        self.check_outputs(inputs, {"output": self.output, "report": self.report})
        check_writable(self.output)
        if self.report is not None:
            check_folder(self.report)
        progress.update(0.0, "Reading")
        target = self.target.strip().lower()
        reading = {"allow_outside_data": self.allow_outside_data}
        images = {
            name: Volume.read(path, **reading) for name, path in self.images.items() if name.strip().lower() != target
        }
        if not images:
            raise ParameterError(f"To estimate {self.target}, give images of one or more of the other contrasts.")
        like = Volume.read(self.like, **reading) if self.like else None
        grid = images.get(self.reference or "") or next(iter(images.values()))
        dtype = like.array.dtype if like else np.dtype(np.int16)
        check_writable(self.output, grid.with_array(np.broadcast_to(dtype.type(0), grid.array.shape)))
        estimate = impute(
            images,
            self.target,
            model=self.model,
            reference=self.reference,
            register=self.register,
            like=like,
            mirrored=self.mirrored,
            force=self.force,
            device=self.device,
            progress=progress.part(0.05, 0.95),
        )
        for name, path in self.images.items():  # it was given volumes, which have no names
            for contrast, about in estimate.report["images"].items():
                if contrast.lower() == name.strip().lower():
                    about["name"] = escaped(Path(path).name)
        if self.like:
            estimate.report["units"] = f"those of {escaped(Path(self.like).name)}"
        progress.update(0.95, "Writing")
        estimate.save(self.output, self.report, compress=self.compress)
        progress.update(1.0, "Done")
        return estimate.report
