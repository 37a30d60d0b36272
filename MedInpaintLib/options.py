"""The options of a fill, defined once: for :func:`MedInpaintLib.inpaint`, job files, the command line and the panel."""

from __future__ import annotations

import dataclasses
import numbers
from typing import Any

from .devices import check_device
from .errors import ParameterError
from .modality import MODALITIES, Modality

BLENDS = ("auto", "paste", "feather", "poisson")
#: Samples of a fill, at most: each is a whole image.
MOST_SAMPLES = 100


def option(default: Any, *, help: str, flag: str = "", metavar: str = "") -> Any:
    """Return a dataclass field for an option.

    Args:
        default: its value when the user says nothing; a type for a new instance of it.
        help: one line for the command line and the panel.
        flag: on the command line; the field's name with hyphens when empty.
        metavar: name of the value in the command's help.
    """
    metadata = {"help": help, "flag": flag, "metavar": metavar}
    if isinstance(default, type):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FillOptions:
    """How to fill a hole: all but the images that go in and the files that come out.

    Attributes:
        method: a name of :func:`MedInpaintLib.list_methods`, or ``"auto"``.
        parameters: the method's parameters by name; the others keep their defaults.
        blend: one of :data:`BLENDS`; ``"auto"`` is what suits the method.
        labels: use only these labels of the mask, by number or name; ``["all"]`` for all of several.
        dilate_mm: grow the hole first, mm.
        modality: a name of :data:`.modality.MODALITIES`; guessed when None.
        grain: add noise like that of the scan to fills that are smoother.
        samples: how many plausible fills to draw besides, 0 to :data:`MOST_SAMPLES`, from the fill and its uncertainty.
        self_check: score methods on trial holes in the same image first.
        regions: name the regions of the brain that each part of the hole lies in, by the atlas.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        seed: for methods with chance in them, 0 or more.
        workers: parts that are filled at a time; as many as there are cores when None. The result is the same.
        force: fill although the inputs look wrong (swapped, inverted or misplaced mask, flipped or unfitting guides).
        series: which DICOM series of a folder, see :func:`.io.read`; the only one when None.
        volume: which volume of a 4-D image to fill, from 0; a job fills all of them when None.
        fill_missing_slices: fill the slices that a DICOM series lacks, besides what the mask marks.
        allow_outside_data: read voxels that a header takes from outside its own folder.
    """

    method: str = option("auto", help="Method, see 'medinpaint methods'.")
    parameters: dict[str, Any] = option(
        dict, help="A parameter of the method; repeatable.", flag="--set", metavar="NAME=VALUE"
    )
    blend: str = option("auto", help="auto, paste, feather or poisson.")
    labels: list[int | str] | None = option(
        None, help="Use only this label of the mask, by number or name, or all; repeatable.", flag="--label"
    )
    dilate_mm: float = option(0.0, help="Grow the hole by this many mm.", flag="--dilate", metavar="MM")
    modality: str | None = option(None, help=f"{', '.join(MODALITIES)}; guessed when left out.")
    grain: bool = option(False, help="Add noise like that of the scan to fills that are smoother than it.")
    samples: int = option(
        0, help="Write so many plausible fills beside the output, which differ as its uncertainty says.", metavar="N"
    )
    self_check: bool = option(False, help="Try methods on such holes in healthy tissue first; take the best.")
    regions: bool = option(False, help="Name the regions of the brain under the hole, by the atlas; takes seconds.")
    device: str = option("auto", help="auto, cpu, cuda or mps.")
    seed: int = option(0, help="For methods with chance in them.")
    workers: int | None = option(None, help="Parts to fill at a time; all cores when left out.", metavar="N")
    force: bool = option(False, help="Fill although mask or guides look swapped, inverted, flipped or misplaced.")
    series: str | None = option(None, help="Which DICOM series: number, UID or part of its description.")
    volume: int | None = option(
        None, help="Fill this volume of a 4-D image alone, from 0; all of them when left out.", metavar="N"
    )
    fill_missing_slices: bool = option(False, help="Fill the slices that a DICOM series lacks, too.")
    allow_outside_data: bool = option(False, help="Read voxels that a header takes from outside its folder.")

    def keywords(self) -> dict[str, Any]:
        """Return the options as keyword arguments of :func:`MedInpaintLib.inpaint`; of a job, these alone."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(FillOptions)}

    def reading(self) -> dict[str, Any]:
        """Return the options of the image's reader as keyword arguments of :func:`.io.read`."""
        return {
            "series": self.series,
            "allow_outside_data": self.allow_outside_data,
            "missing_slices": True,
            "volume": self.volume,
        }

    def check(self) -> None:
        """Check what can be checked without an image.

        Raises:
            ParameterError: blending, modality, device, samples, seed, volume or workers cannot be used.
        """
        if self.seed < 0:
            raise ParameterError(f"The seed must be 0 or more; found {self.seed}.")
        if self.blend not in BLENDS:
            raise ParameterError(f"There is no blending '{self.blend}'; choose one of {', '.join(BLENDS)}.")
        if self.modality is not None:
            Modality.of(self.modality)
        if self.volume is not None and self.volume < 0:
            raise ParameterError(f"Volumes are counted from 0; found {self.volume}.")
        if not isinstance(self.samples, numbers.Integral) or not 0 <= self.samples <= MOST_SAMPLES:
            raise ParameterError(f"The number of samples is a whole number, 0 to {MOST_SAMPLES}; found {self.samples}.")
        if self.workers is not None and self.workers < 1:
            raise ParameterError(f"The number of workers must be 1 or more; found {self.workers}.")
        check_device(self.device)
