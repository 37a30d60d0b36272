"""What a fill returns: the filled image and its report."""

from __future__ import annotations

import dataclasses
import functools
import os

import numpy as np

from .errors import ParameterError
from .files import remove_image
from .mask import Box, Hole
from .parts import Part
from .report import FillReport
from .saving import save_together
from .volume import Volume


@dataclasses.dataclass(frozen=True)
class Patch:
    """Filled voxels of one box of the image."""

    box: Box
    hole: np.ndarray
    intensities: np.ndarray
    spread: np.ndarray | None = None

    def write_into(self, array: np.ndarray) -> None:
        """Put the filled voxels, and nothing else, into an array of the image's shape."""
        array[self.box][self.hole] = self.intensities


@dataclasses.dataclass(frozen=True)
class Result:
    """A filled image and its report.

    Attributes:
        image: the input, untouched, and not copied: see :attr:`volume`.
        hole: the voxels that were filled (after resampling and growing).
        patches: what was filled in, box by box.
        report: provenance and facts, ready for JSON; ``report["trust"]`` says how far to trust the fill.
        parts: of the hole, those of ``report["parts"]``, in the order of their numbers.
    """

    image: Volume
    hole: Hole
    patches: tuple[Patch, ...]
    report: FillReport
    parts: tuple[Part, ...] = ()

    def __repr__(self) -> str:
        hole = self.report["hole"]
        return f"<Result: {hole['voxels']} voxels of {self.image.array.shape} filled by {self.report['method']}>"

    @functools.cached_property
    def volume(self) -> Volume:
        """The filled image on the input's grid and dtype; copied on first use, so change the input only after that."""
        array = self.image.array.copy()
        for patch in self.patches:
            patch.write_into(array)
        return self.image.with_array(array)

    @property
    def mask(self) -> Volume:
        """The voxels that were filled, after resampling and growing: uint8, 1 = synthetic."""
        return self.image.of_another_quantity(self.hole.full().astype(np.uint8))

    @functools.cached_property
    def uncertainty(self) -> Volume | None:
        """Standard deviation of the error of each filled voxel, float32, in the image's units, 0 elsewhere.

        68 % of the errors are expected to be within one of it, and 95 % within two. None where it was not asked for, or
        where nothing supports a number; ``report["uncertainty"]`` says which.
        """
        if any(patch.spread is None for patch in self.patches):
            return None
        array = np.zeros(self.image.array.shape, dtype=np.float32)
        for patch in self.patches:
            array[patch.box][patch.hole] = patch.spread
        return self.image.of_another_quantity(array)

    def save(
        self,
        path: str | os.PathLike[str],
        report: str | os.PathLike[str] | None = None,
        mask: str | os.PathLike[str] | None = None,
        *,
        uncertainty: str | os.PathLike[str] | None = None,
        page: str | os.PathLike[str] | None = None,
        compress: bool = True,
    ) -> None:
        """Write the filled image and, where paths for them are given, the report, mask, uncertainty and page.

        The report is JSON. The page is HTML for people: before and after of each part, warnings, and how it was made.
        All old files are replaced, or none. The report, the last one, names the sha256 of the others. Where nothing
        supports an uncertainty, as a warning of the report says, that file is not written, and an older one removed.

        Raises:
            ParameterError: the uncertainty was not asked for.
            OutputError: with the reason; older files are still there then.
        """
        images = [(path, self.volume, compress)]
        if mask is not None:
            images.append((mask, self.mask, True))
        if uncertainty is not None:
            spread = self.uncertainty
            if spread is None and self.report["uncertainty"] is None:
                raise ParameterError("This fill has no uncertainty to write; fill with uncertainty=True.")
            if spread is not None:
                images.append((uncertainty, spread, True))
        save_together(images, self.report, report, [] if page is None else [(page, self.page())])
        if uncertainty is not None and self.uncertainty is None:
            remove_image(uncertainty)

    def page(self, remark: str = "") -> str:
        """Return the page of this fill for people, as HTML.

        Args:
            remark: what the page is about besides, in a line below its title.
        """
        from .pages.page import fill_page

        spread = None if self.uncertainty is None else self.uncertainty.array
        return fill_page(self.image, self.volume.array, self.hole, self.parts, self.report, spread, remark)
