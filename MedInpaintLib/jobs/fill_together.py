"""Fill one hole in several images of a subject."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ..errors import ParameterError
from ..options import FillOptions
from ..progress import Progress
from ..report import FillReport
from ..texts import escaped
from .fill import WRITING
from .job_file import JobFile
from .outputs import model_folder

if TYPE_CHECKING:
    from ..result import Result
    from ..volume import Volume


#: Fields with a path for each image, or none.
_OF_EACH = ("report", "uncertainty", "page")


@dataclasses.dataclass(frozen=True)
class FillTogetherJob(JobFile, FillOptions):
    """One fill of several images with one hole, see :func:`MedInpaintLib.inpaint_together`.

    Attributes:
        job: ``"fill-together"``.
        image: files of the images, on one grid; methods are chosen for the first one.
        mask: a file that marks the hole in all of them.
        guides: files with other contrasts of the same subject, undamaged where the hole is.
        output: the filled images, as many as there are images and in their order.
        report: where to write the report on each, as JSON; as many, or none.
        uncertainty: where to write the uncertainty of each; as many, or none.
        page: where to write the page of each (HTML); as many, or none.
        filled_mask: where to write the mask of the voxels that were filled, or None.
        compress: write compressed files where the format can.
    """

    KIND: ClassVar[str] = "fill-together"
    PATHS: ClassVar[tuple[str, ...]] = ("image", "mask", "guides", "output", *_OF_EACH, "filled_mask")

    image: list[str]
    output: list[str]
    mask: str
    guides: list[str] = dataclasses.field(default_factory=list)
    report: list[str] = dataclasses.field(default_factory=list)
    uncertainty: list[str] = dataclasses.field(default_factory=list)
    page: list[str] = dataclasses.field(default_factory=list)
    filled_mask: str | None = None
    compress: bool = True

    def run(self, progress: Progress | None = None) -> FillReport:
        """Fill all images and write them, each with its report in one step; return the first report.

        Its warnings are those of all images.
        """
        from ..pipeline import inpaint_together
        from ..volume import Volume

        progress = progress or Progress()
        self.check()
        self._check_paths()
        start = time.perf_counter()
        progress.update(0.0, "Reading")
        images = [Volume.read(path, **self.reading()) for path in self.image]
        reading = time.perf_counter() - start
        self._check_formats(images)
        results = inpaint_together(
            images,
            self.mask,
            **self.keywords(),
            guides=self.guides,
            uncertainty=bool(self.uncertainty),
            progress=progress.before(WRITING * reading),
        )
        self._complete(results, reading)
        progress.update(0.0, "Writing")
        beside: list[list[str] | list[None]] = [getattr(self, name) or [None] * len(results) for name in _OF_EACH]
        masks = [self.filled_mask, *[None] * (len(results) - 1)]
        for result, path, mask, report, spread, page in zip(results, self.output, masks, *beside, strict=True):
            result.save(path, report, mask, uncertainty=spread, page=page, compress=self.compress)
        progress.update(1.0, "Done")
        return _of_all([result.report for result in results])

    def check(self) -> None:
        """Check all that can be checked without opening a file.

        Raises:
            ParameterError: numbers of files that do not fit each other, or options that cannot be used.
        """
        super().check()
        count = len(self.image)
        if not count:
            raise ParameterError("Name one image or more to fill.")
        if len(self.output) != count:
            raise ParameterError(
                f"Name an output for each image; found {count} image(s) and {len(self.output)} output(s)."
            )
        for name in _OF_EACH:
            paths = getattr(self, name)
            if paths and len(paths) != count:
                raise ParameterError(
                    f"Name as many files for '{name}' as images, {count}, or none; found {len(paths)}."
                )

    def _check_paths(self) -> None:
        """Check that no output is an input or another output, and that all can be written."""
        from ..files import check_folder
        from ..io.formats import check_writable

        inputs: dict[str, str | None] = {"mask": self.mask, "model": model_folder(self.parameters)}
        inputs |= _numbered("image", self.image) | _numbered("guide", self.guides)
        outputs: dict[str, str | None] = {"filled mask": self.filled_mask}
        for name in ("output", *_OF_EACH):
            outputs |= _numbered(name, getattr(self, name))
        self.check_outputs(inputs, outputs)
        for path in (*self.output, *self.uncertainty, *([self.filled_mask] if self.filled_mask else [])):
            check_writable(path)
        for path in (*self.report, *self.page):
            check_folder(path)

    def _check_formats(self, images: list[Volume]) -> None:
        """Check that the formats can hold the images before the work begins."""
        import numpy as np

        from ..io.formats import check_writable

        for image, path in zip(images, self.output, strict=True):
            check_writable(path, image)
        spreads = list(zip(images, self.uncertainty, strict=False))
        for image, path in spreads:
            check_writable(path, image.of_another_quantity(np.broadcast_to(np.float32(0), image.array.shape)))
        if self.filled_mask:
            first = images[0]
            mask = first.of_another_quantity(np.broadcast_to(np.uint8(0), first.array.shape))
            check_writable(self.filled_mask, mask)

    def _complete(self, results: list[Result], reading: float) -> None:
        """Add the files' names and the reading time, which volumes do not know."""
        names = [escaped(Path(path).name) for path in self.image]
        for result, name in zip(results, names, strict=True):
            report = result.report
            report["image"]["name"] = name
            if report["filled_together"] is not None:
                report["filled_together"]["images"] = list(names)
            for stage in ("read", "total"):
                report["seconds"][stage] = round(report["seconds"][stage] + reading, 4)


def _numbered(name: str, paths: Iterable[str]) -> dict[str, str | None]:
    return {f"{name} {number}": path for number, path in enumerate(paths, start=1)}


def _of_all(reports: list[FillReport]) -> FillReport:
    """Return the first report with the warnings of all, each once and those of other images with their name."""
    first = reports[0]
    warnings = list(first["warnings"])
    for report in reports[1:]:
        name = report["image"]["name"]
        warnings += [f"{name}: {warning}" for warning in report["warnings"] if warning not in first["warnings"]]
    joined = first.copy()
    joined["warnings"] = warnings
    return joined
