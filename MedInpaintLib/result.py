"""What a fill returns: the filled image and its report."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from typing import overload

import numpy as np

from .draws import Draws, draws_of
from .errors import ParameterError
from .files import remove_image
from .mask import Box, Hole
from .parts import Part
from .progress import Progress
from .report import FillReport
from .saving import sample_paths, save_together
from .subject import Subject
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


class Samples(Sequence[Volume]):
    """Plausible fills of one hole. Each is made when it is asked for: all of them may not fit into memory."""

    def __init__(self, volume: Volume, draws: Sequence[Draws], count: int) -> None:
        """Make samples.

        Args:
            volume: the filled image.
            draws: of each region.
            count: of the samples.
        """
        self._volume, self._draws, self._count = volume, draws, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Volume: ...

    @overload
    def __getitem__(self, index: slice) -> list[Volume]: ...

    def __getitem__(self, index: int | slice) -> Volume | list[Volume]:
        numbers = range(self._count)[index]
        return [self._make(number) for number in numbers] if isinstance(numbers, range) else self._make(numbers)

    def _make(self, number: int) -> Volume:
        array = self._volume.array.copy()
        for draws in self._draws:
            array[draws.box][draws.hole] = draws.sample(number)
        return self._volume.with_array(array)


def draw_from(subject: Subject, patches: Sequence[Patch], seed: int) -> tuple[Draws, ...]:
    """Return the samples of each region of a fill; none where a region has no uncertainty."""
    draws = []
    for patch in patches:
        if patch.spread is None:
            return ()
        draws.append(draws_of(subject, patch.box, patch.hole, patch.intensities, patch.spread, seed))
    return tuple(draws)


@dataclasses.dataclass(frozen=True)
class Result:
    """A filled image and its report.

    Attributes:
        image: the input, untouched, and not copied: see :attr:`volume`.
        hole: the voxels that were filled (after resampling and growing).
        patches: what was filled in, box by box.
        report: provenance and facts, ready for JSON; ``report["trust"]`` says how far to trust the fill.
        parts: of the hole, those of ``report["parts"]``, in the order of their numbers.
        draws: of the samples, region by region; see :attr:`samples`.

    >>> from MedInpaintLib import inpaint
    >>> result = inpaint(np.eye(5), np.eye(5) == 1, method="nearest", modality="MR")
    >>> float(result.volume.array.sum()), int(result.mask.array.sum())
    (0.0, 5)
    """

    image: Volume
    hole: Hole
    patches: tuple[Patch, ...]
    report: FillReport
    parts: tuple[Part, ...] = ()
    draws: tuple[Draws, ...] = ()

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

    @property
    def samples(self) -> Sequence[Volume]:
        """Plausible fills: their mean is the fill, their standard deviation the uncertainty, known voxels are the same.

        Empty where none were asked for, or where there is no uncertainty. The same seed gives the same samples, and the
        first are the same however many there are.
        """
        return Samples(self.volume, self.draws, self.report["samples"])

    def save(
        self,
        path: str | os.PathLike[str],
        report: str | os.PathLike[str] | None = None,
        mask: str | os.PathLike[str] | None = None,
        *,
        uncertainty: str | os.PathLike[str] | None = None,
        page: str | os.PathLike[str] | None = None,
        samples: bool = False,
        compress: bool = True,
        progress: Progress | None = None,
    ) -> None:
        """Write the filled image and, where paths for them are given, the report, mask, uncertainty and page.

        The report is JSON. The page is HTML for people: before and after of each part, warnings, and how it was made.
        With ``samples``, :attr:`samples` are written beside the image: ``t1_sample-01.nii.gz`` and so on beside
        ``t1.nii.gz``. All old files are replaced, or none. The report, the last one, names the sha256 of the others.
        Where nothing supports an uncertainty, as a warning of the report says, that file is not written, and an older
        one removed.

        Raises:
            ParameterError: the uncertainty was not asked for.
            OutputError: with the reason; older files are still there then.
            Cancelled: ``progress`` asked for it before a sample; older files are still there then.
        """
        images: list[tuple[str | os.PathLike[str], Volume | Callable[[], Volume], bool]]
        images = [(path, self.volume, compress)]
        if samples:
            progress = progress or Progress()
            for number, file in enumerate(sample_paths(path, len(self.samples))):
                images.append((file, functools.partial(self._sample, number, progress), compress))
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

    def _sample(self, number: int, progress: Progress) -> Volume:
        """Return a sample; progress, told before each, can cancel the writing of many."""
        progress.update(number / len(self.samples), "Writing samples")
        return self.samples[number]

    def page(self, remark: str = "") -> str:
        """Return the page of this fill for people, as HTML.

        Args:
            remark: what the page is about besides, in a line below its title.
        """
        from .pages.page import fill_page

        spread = None if self.uncertainty is None else self.uncertainty.array
        return fill_page(self.image, self.volume.array, self.hole, self.parts, self.report, spread, remark)
