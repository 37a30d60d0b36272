"""Reports of jobs: plain dictionaries, ready for JSON, whose keys and types are declared here.

The same report is returned by :func:`MedInpaintLib.inpaint`, stored in a job's result, and shown by command and panel.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypedDict

from . import __version__


class ImageFacts(TypedDict, total=False):
    """An input image: its file's name (or the kind of object), shape, voxel size in mm, and dtype."""

    name: str
    shape: list[int]
    spacing: list[float]
    dtype: str


class MaskFacts(ImageFacts, total=False):
    """The mask, and how it was used.

    kind, rule: how its values were read, see :class:`.mask_values.Meaning`; labels: those that were chosen, or None;
    dilate_mm: the growth.
    """

    kind: str
    rule: str
    labels: list[int | str] | None
    dilate_mm: float


class HoleFacts(TypedDict):
    """The hole: voxels, volume (None for a flat image), connected parts, and the regions that were filled."""

    voxels: int
    volume_ml: float | None
    components: int
    regions: int


class OfVolume(TypedDict, total=False):
    """What is said only of a 4-D image: the volume that a part belongs to, from 0."""

    volume: int


class OfAtlas(TypedDict, total=False):
    """What the report has of a part only where the atlas was brought onto the image.

    regions: shares of the part's voxels by region, such as "left cortex", the largest first; less than 1 together
    where some lie in none; tissues: shares of grey matter ("grey"), white matter ("white") and fluid ("csf") that an
    average healthy head has there.
    """

    regions: dict[str, float]
    tissues: dict[str, float]


class OfUncertainty(TypedDict, total=False):
    """What the report has of a part only where there is an uncertainty.

    deviation: the root mean square of the calibrated standard deviations of its voxels, in the image's units.
    """

    deviation: float


class PartFacts(OfVolume, OfAtlas, OfUncertainty):
    """A connected part of the hole, and how it was filled.

    number: from 1; volume_ml: None for a flat image; depth_mm: from its innermost voxel to the nearest known one, None
    where nothing is known; middle: indices ``[k, j, i]`` or ``[j, i]`` of the voxel in its middle; method: that filled
    it in the end; reason: why it was chosen, empty where it was named; warnings: of the region that it was filled in;
    scores: what the self-check expects of such parts, metric -> mean and sd, or None without one.
    """

    number: int
    voxels: int
    volume_ml: float | None
    depth_mm: float | None
    middle: list[int]
    method: str
    reason: str
    warnings: list[str]
    scores: dict[str, Any] | None


class TogetherFacts(TypedDict):
    """Images with one hole that were filled together.

    images: their names, the one first for which methods were chosen; shared, own: the numbers of the parts that all
    images took from the same places, and of those that were filled image by image.
    """

    images: list[str]
    shared: list[int]
    own: list[int]


class UncertaintyFacts(TypedDict):
    """The standard deviation of the error of each filled voxel.

    basis: what it rests on, in words, empty where there is none; reason: why there is none, else empty; factors: method
    -> by how much the trial holes of the self-check rescaled it, for those that had any.
    """

    basis: str
    reason: str
    factors: dict[str, float]


class VolumeFacts(TypedDict):
    """A volume of a 4-D image: its number, from 0, and what the report of its fill says, see :class:`FillReport`."""

    number: int
    method: str
    reason: str
    modality: str
    hole: HoleFacts
    warnings: list[str]
    trust: str


class Written(TypedDict, total=False):
    """What only a report in a file knows: the sha256 of each file of the images that it was written with, by name."""

    files: dict[str, str]


class Report(Written):
    """What every report holds.

    software: name with version; date: UTC time in ISO 8601; device: on which networks ran; warnings: one line each;
    seconds: wall time by stage, with ``"total"``.
    """

    software: str
    date: str
    device: str
    warnings: list[str]
    seconds: dict[str, float]


class OfVolumes(TypedDict, total=False):
    """What only the report of a 4-D image holds: its volumes, the worst first as among parts."""

    volumes: list[VolumeFacts]


class FillReport(Report, OfVolumes):
    """The report of a fill; of a 4-D image, that of the worst volume with holes, parts and warnings of all.

    samples: how many plausible fills were drawn.
    notes: facts of the methods; trust: how far to trust the fill; method: the methods, those that filled most voxels
    first; reason: why they were chosen, empty where one was named; parameters: of the method, or of each by its name
    where there are several; blend, seed, modality: as used; modality_reason: why it was guessed, empty where it was
    named; parts: of the hole, the worst first: those with warnings, then the deepest; grain: whether noise was added;
    self_check: scores on trial holes, one entry for each kind of parts, or None; uncertainty: what the standard
    deviations rest on, or why there are none; None where none were asked for; filled_together: the images with this
    hole that were filled with it, or None for one alone.
    """

    notes: dict[str, Any]
    trust: str
    method: str
    reason: str
    parameters: dict[str, Any]
    blend: str
    seed: int
    modality: str
    modality_reason: str
    image: ImageFacts
    mask: MaskFacts
    hole: HoleFacts
    parts: list[PartFacts]
    samples: int
    grain: bool
    self_check: list[dict[str, Any]] | None
    uncertainty: UncertaintyFacts | None
    filled_together: TogetherFacts | None


class ImputeReport(Report):
    """The report of an estimated contrast.

    notes, trust: as in :class:`FillReport`; target: the contrast; model: its name; images: contrast -> facts;
    reference: the contrast whose grid it has; registered: whether the others were registered onto it; units: of the
    intensities, in words; mirrored: whether it is the mean with the estimate from mirrored slices.
    """

    notes: dict[str, Any]
    trust: str
    target: str
    model: str
    images: dict[str, ImageFacts]
    reference: str
    registered: bool
    units: str
    mirrored: bool


class EvaluationReport(Report):
    """The report of an evaluation on sets of synthetic holes.

    modality_reason: as in :class:`FillReport`; convention, range: of the scores; trivial: the fill that is always
    among the methods; holes: for each set ``holes``, ``count``, ``reference`` and ``about``; metrics, rows, methods: as
    in :meth:`.evaluation.report.Table.to_dict`, of one set after the other, each row and method with its ``holes``;
    left_out: method -> why it failed; text: the tables to read. What is not finite, such as the PSNR of a perfect fill,
    is None.
    """

    image: ImageFacts
    modality: str
    modality_reason: str
    convention: str
    range: str
    seed: int
    trivial: str
    holes: list[dict[str, Any]]
    metrics: dict[str, dict[str, Any]]
    rows: list[dict[str, Any]]
    methods: list[dict[str, Any]]
    left_out: dict[str, str]
    text: str


class RegionFacts(TypedDict):
    """A region of a segmentation before and after the lesion was put back into it.

    side: "left", "right", or empty where its name does not tell; voxels and volumes: before, as it was segmented on the
    filled image, and after, without the lesion; covered_ml, covered_percent: its part under the lesion.
    """

    label: int
    name: str
    side: str
    voxels_before: int
    voxels_after: int
    volume_before_ml: float
    volume_after_ml: float
    covered_ml: float
    covered_percent: float


class LesionFacts(TypedDict):
    """The lesion in a segmentation.

    labels: that it has got, none where it was cut out; left_ml, right_ml: None where the names of the regions do not
    tell sides; background_ml: where the segmentation has no label.
    """

    labels: list[int]
    voxels: int
    volume_ml: float
    left_ml: float | None
    right_ml: float | None
    background_ml: float


class LesionBackReport(Report):
    """The report of a lesion that was put back into a segmentation.

    numbering: what the labels mean; numbering_reason: why that is known; lesion: see :class:`LesionFacts`;
    hit_regions: how many regions lie under it in part or as a whole; lost_regions: how many as a whole;
    labelled_before_ml, labelled_after_ml: all regions together, without the lesion; regions: all, those with most under
    the lesion first.
    """

    segmentation: ImageFacts
    mask: MaskFacts
    numbering: str
    numbering_reason: str
    lesion: LesionFacts
    hit_regions: int
    lost_regions: int
    labelled_before_ml: float
    labelled_after_ml: float
    regions: list[RegionFacts]


class AtlasEdgesReport(Report):
    """The report of the edges of the atlas on an image.

    edges: what each label is, by its number as text.
    """

    image: ImageFacts
    edges: dict[str, str]


#: The note of a fill that says why no regions are named although they were asked for.
NO_REGIONS = "no regions are named"
#: Smaller shares are left out of words.
LEAST_SHARE = 0.05


def shares_in_words(shares: Mapping[str, float]) -> str:
    """Return the shares of regions or tissues in words, the largest first; empty where all are small.

    >>> shares_in_words({"left cortex": 0.62, "left white matter": 0.301, "left hippocampus": 0.04})
    'left cortex (62 %), left white matter (30 %)'
    """
    largest_first = sorted(shares.items(), key=lambda item: -item[1])
    return ", ".join(
        f"{name} ({share:.0%})".replace("%", " %") for name, share in largest_first if share >= LEAST_SHARE
    )


def no_uncertainty(facts: UncertaintyFacts) -> str:
    """Return the warning that there is no uncertainty, and why.

    >>> no_uncertainty({"basis": "", "reason": "its errors were never measured", "factors": {}})
    'No uncertainty is given: its errors were never measured.'
    """
    return f"No uncertainty is given: {facts['reason']}."


def software() -> str:
    """Return name and version of the engine, for a report."""
    return f"MedInpaintLib {__version__}"


def now() -> str:
    """Return the UTC time in ISO 8601, to the second, for a report."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
