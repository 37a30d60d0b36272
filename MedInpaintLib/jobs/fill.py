"""Fill the hole in an image."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from pathlib import Path
from typing import ClassVar

from ..errors import OutputPathError, ParameterError
from ..options import MOST_SAMPLES, FillOptions
from ..progress import Progress
from ..report import FillReport
from ..texts import escaped
from .job_file import JobFile
from .outputs import lies_in, model_folder

#: Writing a compressed file takes so many times as long as reading it (NIfTI heads of 3 to 8 million voxels).
WRITING = 4.0
_OUTPUTS = ("output", "report", "uncertainty", "filled_mask", "page")


@dataclasses.dataclass(frozen=True)
class FillJob(JobFile, FillOptions):
    """One fill: images in, :class:`.FillOptions`, files out.

    Attributes:
        job: ``"fill"``.
        image, mask: files (or folders with DICOM files) to read; the mask may be None where missing slices are filled.
            Of a 4-D image, all volumes are filled, see :func:`.fill_volumes.fill_volumes`, unless ``volume`` names one;
            the mask is one for all, or has as many volumes.
        guides: files with other contrasts of the same subject.
        exemplars: a folder with scans of other subjects, of the same contrast, or None.
        output: the filled image; its ending says the format. A folder, or a name that ends in "/": a DICOM series
            derived from the image's.
        report: where to write the report as JSON, or None.
        uncertainty: where to write the standard deviation of the error, in the image's units, or None. Where nothing
            supports a number it is not written, and a warning says why.
        filled_mask: where to write the mask of the voxels that were filled (grown and resampled), or None.
        samples: so many files are written beside the output, such as ``t1_sample-01.nii.gz`` beside ``t1.nii.gz``.
        page: where to write a page for people (HTML), or None; of a 4-D image, of the first volume filled.
        compress: write a compressed file where the format can; the panel does not, for speed.
    """

    KIND: ClassVar[str] = "fill"
    PATHS: ClassVar[tuple[str, ...]] = ("image", "mask", "guides", "exemplars", *_OUTPUTS)

    output: str
    image: str
    mask: str | None = None
    guides: list[str] = dataclasses.field(default_factory=list)
    exemplars: str | None = None
    report: str | None = None
    uncertainty: str | None = None
    filled_mask: str | None = None
    page: str | None = None
    compress: bool = True

    def run(self, progress: Progress | None = None) -> FillReport:
        import numpy as np

        from ..files import check_folder
        from ..inputs import check_same_length, read_mask
        from ..io.formats import check_writable
        from ..pipeline import NO_MASK, inpaint
        from ..volume import Volume

        progress = progress or Progress()
        if self.mask is None and not self.fill_missing_slices:
            raise ParameterError(NO_MASK)
        self.check()
        _check_outputs(self)
        if self.is_4d():
            if self.samples:
                raise ParameterError("Samples are of one volume; name one of this 4-D image with the option 'volume'.")
            from .fill_volumes import fill_volumes

            return fill_volumes(self, progress)
        for path in (self.output, self.uncertainty, self.filled_mask, *self.sample_files().values()):
            if path is not None:
                check_writable(path)
        for path in (self.report, self.page):
            if path is not None:
                check_folder(path)
        start = time.perf_counter()
        progress.update(0.0, "Reading")
        check_same_length(self.image, self.mask)
        image = Volume.read(self.image, **self.reading())
        mask = read_mask(self.mask, image, allow_outside_data=self.allow_outside_data, volume=self.volume)
        reading = time.perf_counter() - start
        for path in (self.output, *self.sample_files().values()):
            check_writable(path, image)
        for path, kind in ((self.uncertainty, np.float32), (self.filled_mask, np.uint8)):
            if path is not None:
                check_writable(path, image.of_another_quantity(np.broadcast_to(kind(0), image.array.shape)))
        result = inpaint(
            image,
            mask,
            **{**self.keywords(), "volume": None},
            guides=self.guides,
            exemplars=self.exemplars,
            uncertainty=self.uncertainty is not None,
            progress=progress.before(WRITING * reading * (1 + self.samples)),
        )
        _complete(result.report, self, reading)
        (for_writing,) = progress.remaining(WRITING * reading * (1 + self.samples))
        for_writing.update(0.0, "Writing")
        result.save(
            self.output,
            self.report,
            self.filled_mask,
            uncertainty=self.uncertainty,
            page=self.page,
            samples=True,
            compress=self.compress,
            progress=for_writing,
        )
        progress.update(1.0, "Done")
        return result.report

    def sample_files(self) -> dict[str, str]:
        """Return the paths of the samples that are asked for, by what each is called."""
        from ..saving import sample_paths

        paths = sample_paths(self.output, min(self.samples, MOST_SAMPLES))
        return {f"sample {number}": path for number, path in enumerate(paths, start=1)}

    def is_4d(self) -> bool:
        """Return whether several volumes are filled: those of a 4-D image of which none is chosen."""
        from ..io.four_d import volumes_in

        return self.volume is None and volumes_in(self.image) > 1


def _complete(report: FillReport, job: FillJob, reading: float) -> None:
    """Add the files' names and the reading time, which :func:`inpaint` cannot know from volumes."""
    for name in ("image", "mask"):
        if getattr(job, name) is not None:
            report[name]["name"] = escaped(Path(getattr(job, name)).name)
    for stage in ("read", "total"):
        report["seconds"][stage] = round(report["seconds"][stage] + reading, 4)


def _check_outputs(job: FillJob) -> None:
    """Check that no output is an input, another output or among the exemplars; raises OutputPathError."""
    inputs: dict[str, str | None] = {"image": job.image, "mask": job.mask, "model": model_folder(job.parameters)}
    inputs |= {f"guide {number}": path for number, path in enumerate(job.guides, start=1)}
    outputs = {name: getattr(job, name) for name in _OUTPUTS if getattr(job, name) is not None}
    outputs |= job.sample_files()
    job.check_outputs(inputs, outputs)
    exemplars = _exemplars_of(job)
    for name, path in outputs.items():
        if any(lies_in(path, place) for place in exemplars):
            raise OutputPathError(f"The {name} '{path}' lies among the exemplars; write it elsewhere.")


def _exemplars_of(job: FillJob) -> list[str]:
    """Return the folder with the exemplars and its entries, since links may lead elsewhere."""
    if job.exemplars is None:
        return []
    with contextlib.suppress(OSError):  # the pipeline says what is wrong with it
        return [job.exemplars, *(entry.path for entry in os.scandir(job.exemplars))]
    return [job.exemplars]
