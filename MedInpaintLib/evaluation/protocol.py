"""The protocol: make holes in a healthy image, fill them by each method, score each hole."""

from __future__ import annotations

import dataclasses
import numbers
import os
import platform
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Union

import numpy as np

from ..appearance import Appearance
from ..calibration import shares_within
from ..data_range import DataRange, data_range_of
from ..errors import Cancelled, GeometryError, MaskError, MethodError, ParameterError, in_one_line, is_fault
from ..foreground import body
from ..holes import is_spec, place
from ..holes.grammar import HINT
from ..inputs import read_image, read_mask
from ..intensity import sample_known
from ..io.segments import Segments
from ..mask import Box, all_marked, grow, labels_of
from ..methods import registry
from ..metrics import CONVENTIONS, score
from ..modality import Guess, Modality
from ..no_data import find, nearest
from ..pipeline import inpaint
from ..progress import Progress
from ..report import no_uncertainty
from ..volume import Volume
from .report import Row, Table

#: The method in every table: others must beat it to be worth their time.
TRIVIAL = "shell-mean"

#: A fill from outside the engine: ``fill(voided image, hole, spacing) -> filled array``.
Peer = Callable[[np.ndarray, np.ndarray, tuple[float, ...]], np.ndarray]
#: What to score: a method's name; or a label with a fill from outside, or with options of `inpaint`.
Entry = Union[str, tuple[str, Union[Peer, Mapping[str, Any]]]]  # noqa: UP007 - Python 3.10 evaluates it


class Outcome(NamedTuple):
    """The filled array, the engine's report, and the standard deviations; fills from outside have none of the last."""

    filled: np.ndarray
    report: Mapping[str, Any]
    deviation: np.ndarray | None


def evaluate(
    image: Any,
    holes: Any = "spheres:20mm:6",
    methods: str | Sequence[Entry] = ("harmonic", "biharmonic"),
    *,
    spacing: Sequence[float] | float | None = None,
    seed: int = 0,
    data_range: float | Sequence[float] | None = None,
    convention: str = "masked",
    modality: str | None = None,
    foreground: Any = None,
    avoid: Any = None,
    margin_mm: float = 4.0,
    name: str = "",
    split: str = "not stated",
    keep_fills: bool = False,
    keep_going: bool = False,
    series: str | None = None,
    allow_outside_data: bool = False,
    progress: Progress | None = None,
) -> Table:
    """Score methods on synthetic holes in an image, whose true content is known.

    Each method fills all holes in one run, without seeing their content; every score is of one hole, so methods are
    paired hole by hole.

    Args:
        image: a path, a SimpleITK image, a :class:`Volume`, or an array ``(k, j, i)`` or ``(j, i)``.
        holes: a description such as ``"spheres:20mm:6"`` (see :func:`MedInpaintLib.holes.grammar.grammar`), or a mask
            of the same kinds as the image, whose labels, or connected parts if there is one label, are the holes.
        methods: names of :func:`MedInpaintLib.list_methods`; a pair ``(label, function)`` scores a fill from elsewhere,
            a pair ``(label, options)`` the engine with options of :func:`MedInpaintLib.inpaint`, such as
            ``("mirror, all detail", {"method": "mirror", "parameters": {"detail": "all"}})``. The trivial fill
            ``shell-mean`` is always added.
        spacing: mm in the order of the axes, for arrays.
        seed: for the positions of the holes and for the methods.
        data_range: R of PSNR and SSIM, or ``(low, high)``. Default: 400 HU around 40 HU for CT, 255 for 8-bit films,
            else the 99.5 percentile of the known foreground. Always printed.
        convention: ``"masked"``, ``"brats"`` or ``"rfr-report"``, see :mod:`MedInpaintLib.metrics.conventions`.
        modality: a name of :data:`MedInpaintLib.modality.MODALITIES`; guessed by default, with the reason in the table.
        foreground: a mask in which holes may lie; the body by default.
        avoid: a mask in which they may not, e.g. lesions.
        margin_mm: least distance between holes.
        name: of the data, for the table; the file's name by default.
        split: of the data (train, val, test), for the table.
        keep_fills: keep the filled images in the table, for figures.
        keep_going: leave out methods that fail (not the trivial fill), with the reason in the table.
        series, allow_outside_data: as in :func:`MedInpaintLib.inpaint`.
        progress: reports and cancels.

    Returns:
        Table: print it, or ask it for ``to_text()``, ``to_markdown()``, ``to_csv(path)``, ``gain(method)``.

    Raises:
        InputError: an argument cannot be used.
        MethodError: a method returned an invalid fill.
        MedInpaintError: any other error of a method; see ``keep_going``.

    >>> ramp = np.add.outer(np.arange(64.0), np.arange(64.0)) + 100
    >>> table = evaluate(ramp, "squares:8px:2", methods=["harmonic"], modality="MR", margin_mm=2)
    >>> table.methods, len(table.rows)
    (('shell-mean', 'harmonic'), 4)
    """
    progress = progress or Progress()
    if not isinstance(seed, numbers.Integral) or isinstance(seed, bool) or seed < 0:
        raise ParameterError(f"The seed must be a whole number, 0 or more; found {seed!r}.")
    seed = int(seed)
    if convention not in CONVENTIONS:
        raise ParameterError(f"There is no convention '{convention}'; the conventions are: {', '.join(CONVENTIONS)}.")
    runs = _runs(methods)
    progress.update(0.0, "Reading")
    volume = read_image(image, spacing, series=series, allow_outside_data=allow_outside_data)
    name = name or (os.path.basename(os.fspath(image)) if isinstance(image, (str, os.PathLike)) else "array")
    no_data, _ = find(volume)  # the engine's reports have the remarks
    appearance = Appearance.of(volume, no_data=no_data)
    guess = Modality.guess(appearance) if modality is None else Guess(Modality.of(modality), "")
    kind = guess.modality

    progress.update(0.02, "Placing holes")
    outside = allow_outside_data
    if isinstance(holes, str) and is_spec(holes):
        inside = body(volume.array, kind, no_data) if foreground is None else _mask(foreground, volume, outside)
        kept_off = _kept_off(avoid, no_data, volume, outside)
        labels = place(
            holes,
            volume.array.shape,
            spacing=volume.spacing,
            foreground=inside,
            avoid=kept_off,
            margin_mm=margin_mm,
            seed=seed,
        )
        described = f"{holes}, at least {margin_mm:g} mm apart"
    else:
        labels, described = _given_holes(holes, volume, no_data, outside)
    hole = labels > 0
    known = sample_known(volume.array, hole, tuple(slice(0, size) for size in hole.shape), no_data)
    scale = data_range_of(known, kind, volume.array.dtype, data_range)
    boxes = _boxes(labels, CONVENTIONS[convention].context)

    voided = volume.with_array(np.where(hole, volume.array.dtype.type(0), volume.array))
    rows: list[Row] = []
    seconds: dict[str, float] = {}
    left_out: dict[str, str] = {}
    fills: dict[str, np.ndarray] = {}
    reports: dict[str, Mapping[str, Any]] = {}
    for number, (label, run) in enumerate(runs):
        share = progress.part(0.05 + 0.95 * number / len(runs), 0.05 + 0.95 * (number + 1) / len(runs))
        share.update(0.0, label)
        start = time.perf_counter()
        try:
            filled, report, deviation = run(voided, hole, kind.name, seed, share.part(0.0, 0.8, label))
            _check_fill(label, filled, hole)
        except Exception as error:
            if not keep_going or label == TRIVIAL or isinstance(error, Cancelled):
                raise
            if is_fault(error):
                traceback.print_exc()
            left_out[label] = in_one_line(error)
            continue
        seconds[label], reports[label] = time.perf_counter() - start, report
        for hole_number, box in boxes.items():
            truth = _without_gaps(volume, no_data, box, whole=CONVENTIONS[convention].context is None)
            row = _row(label, hole_number, box, filled, truth, labels, convention, scale)
            if deviation is not None:
                own = labels[box] == hole_number
                error = np.abs(filled[box][own].astype(np.float64) - truth.array[own])
                row = dataclasses.replace(row, within=shares_within(error, deviation[box][own]))
            rows.append(row)
            share.update(0.8 + 0.2 * hole_number / len(boxes), label)
        if keep_fills:
            fills[label] = filled
    progress.update(1.0, "Done")

    table = Table(
        rows=tuple(rows),
        reference=TRIVIAL,
        about=_about(name, volume, kind.name, split, described, seed, convention, scale, len(boxes)),
        constants={
            "data": name,
            "modality": kind.name,
            "split": split,
            "protocol": described,
            "seed": seed,
            "convention": convention,
            "R": scale.width,
            "black": scale.black,
        },
        seconds=seconds,
        image=volume,
        labels=labels,
        fills=fills,
        reports=reports,
        left_out=left_out,
        modality_reason=guess.reason,
        warnings=guess.warnings,
    )
    reference = _best_trivial(table)
    about = {**table.about, "Δ, better": f"difference to {reference} in the same hole, and in how many it is better"}
    if any(row.within for row in rows):
        about["within"] = "percent of the errors within one and two standard deviations; 68 and 95 are right"
    about |= {"warnings": " ".join(guess.warnings)} if guess.warnings else {}
    about |= {"left out": " ".join(f"{name}: {why}" for name, why in left_out.items())} if left_out else {}
    return dataclasses.replace(table, reference=reference, about=about)


def _row(
    method: str,
    hole_number: int,
    box: tuple[slice, ...],
    filled: np.ndarray,
    truth: Volume,
    labels: np.ndarray,
    convention: str,
    scale: DataRange,
) -> Row:
    own = labels[box] == hole_number
    scores = score(
        filled[box],
        truth.array,
        own,
        convention=convention,
        data_range=scale.width,
        black=scale.black,
        spacing=truth.spacing,
    )
    indices = np.nonzero(own)
    centre = tuple(float(along.mean()) + part.start for along, part in zip(indices, box, strict=True))
    return Row(method, hole_number, len(indices[0]), centre, scores)


def _runs(methods: str | Sequence[Entry]) -> list[tuple[str, Callable[..., Outcome]]]:
    """Return label and function of each method and of the trivial fill; unknown names fail before any work."""
    entries = [methods] if isinstance(methods, str) else list(methods)
    if TRIVIAL not in entries:
        entries.insert(0, TRIVIAL)
    runs: dict[str, Callable[..., Outcome]] = {}
    for entry in entries:
        label, fill = (entry, {"method": entry}) if isinstance(entry, str) else entry
        if isinstance(fill, Mapping):
            if fill["method"] != "auto":
                registry.get(fill["method"])
            runs[label] = _engine(fill)
        else:
            runs[label] = _peer(fill)
    return list(runs.items())


def _engine(options: Mapping[str, Any]) -> Callable[..., Outcome]:
    def run(voided: Volume, hole: np.ndarray, modality: str, seed: int, progress: Progress) -> Outcome:
        # The holes are this protocol's own, so nothing about them is in doubt.
        given = {"modality": modality, "seed": seed, "progress": progress, "force": True, "uncertainty": True}
        result = inpaint(voided, hole, **{**given, **options})
        report, facts, deviation = result.report, result.report["uncertainty"], result.uncertainty
        if facts is not None and facts["reason"]:  # nothing is wrong with scores of a method without
            line = no_uncertainty(facts)
            report["warnings"] = [each for each in report["warnings"] if each != line]
        return Outcome(result.volume.array, report, None if deviation is None else deviation.array)

    return run


def _peer(fill: Peer) -> Callable[..., Outcome]:
    def run(voided: Volume, hole: np.ndarray, modality: str, seed: int, progress: Progress) -> Outcome:
        return Outcome(np.asarray(fill(voided.array.copy(), hole.copy(), voided.spacing)), {}, None)

    return run


def _check_fill(method: str, filled: np.ndarray, hole: np.ndarray) -> None:
    """Refuse a fill that cannot be scored: means without it would flatter the method."""
    if filled.shape != hole.shape:
        raise MethodError(f"'{method}' returned an image of shape {filled.shape} instead of {hole.shape}.")
    if filled.dtype.kind not in "biuf":
        raise MethodError(f"'{method}' returned voxels of dtype {filled.dtype}, which are no intensities.")
    count = int(np.count_nonzero(~np.isfinite(filled[hole])))
    if count:
        raise MethodError(
            f"'{method}' left NaN or infinity in {count} of the {np.count_nonzero(hole)} voxels that it had to fill, "
            "so it cannot be scored; fix it, or leave it out."
        )


def _mask(mask: Any, volume: Volume, outside: bool) -> np.ndarray:
    """Return a mask on the image's grid as a bool array; ``outside``: its header may name voxels anywhere."""
    return all_marked(_on_grid(mask, volume, outside))


def _on_grid(mask: Any, volume: Volume, outside: bool) -> Volume | Segments:
    marks = read_mask(mask, volume, allow_outside_data=outside)
    difference = volume.grid_difference(marks.grid if isinstance(marks, Segments) else marks)
    if difference:
        raise GeometryError(f"The mask is on another grid than the image ({difference}); resample it first.")
    return marks


def _kept_off(avoid: Any, no_data: np.ndarray | None, volume: Volume, outside: bool) -> np.ndarray | None:
    """Return where no hole may lie: where the user says so, and where there is no data or next to it."""
    from scipy import ndimage

    kept_off = None if avoid is None else _mask(avoid, volume, outside)
    if no_data is None:
        return kept_off
    near = ndimage.binary_dilation(no_data, np.ones((3,) * no_data.ndim))
    return near if kept_off is None else near | kept_off


def _without_gaps(volume: Volume, no_data: np.ndarray | None, box: Box, *, whole: bool) -> Volume:
    """Return a box of the truth to score against, with numbers where there is no data: SSIM's window may reach there.

    They are the nearest values, as beyond the image's border; 0 for conventions that see the whole image, whose
    background is 0.
    """
    truth = volume.crop(box)
    if no_data is None or not no_data[box].any():
        return truth
    zero = truth.array.dtype.type(0)
    return truth.with_array(
        np.where(no_data[box], zero, truth.array) if whole else nearest(truth.array, no_data[box], truth.spacing)
    )


def _given_holes(holes: Any, volume: Volume, no_data: np.ndarray | None, outside: bool) -> tuple[np.ndarray, str]:
    """Return labels and a description from a mask: its labels, or its connected parts when there is one label.

    Voxels without data are left out: there is no truth to score against.
    """
    from scipy import ndimage

    if isinstance(holes, (str, os.PathLike)) and not os.path.exists(holes):
        raise ParameterError(f"'{holes}' is neither a file nor a description of holes. {HINT}")
    mask = _on_grid(holes, volume, outside)
    labels = labels_of(mask)
    if labels is None:
        labels = np.zeros(volume.array.shape, dtype=np.int32)
        ndimage.label(all_marked(mask), structure=np.ones((3,) * labels.ndim), output=labels)
    if not labels.any():
        raise MaskError("The mask of holes is empty: no voxel is marked.")
    if no_data is not None:
        labels[no_data] = 0
        if not labels.any():
            raise MaskError(
                "The mask of holes marks nothing but voxels without data, so there is no truth to score by."
            )
    source = os.path.basename(os.fspath(holes)) if isinstance(holes, (str, os.PathLike)) else "mask"
    return labels, f"holes given as {source}"


def _boxes(labels: np.ndarray, context: int | None) -> dict[int, tuple[slice, ...]]:
    """Return for each hole the box on which its scores depend; the whole image if the convention needs it."""
    from scipy import ndimage

    whole = tuple(slice(0, size) for size in labels.shape)
    objects = enumerate(ndimage.find_objects(labels), start=1)
    return {
        number: whole if context is None else grow(box, [context] * labels.ndim, labels.shape)
        for number, box in objects
        if box is not None
    }


def _best_trivial(table: Table) -> str:
    """Return the method of the family trivial with the best mean PSNR."""
    known = registry.methods()
    trivial = [name for name in table.methods if name in known and known[name].family == "trivial"]
    return max(trivial, key=lambda name: table.spread(name, "psnr").mean)


def _about(
    name: str,
    volume: Volume,
    modality: str,
    split: str,
    described: str,
    seed: int,
    convention: str,
    scale: DataRange,
    count: int,
) -> dict[str, str]:
    shape = " x ".join(map(str, volume.array.shape))
    voxel = " x ".join(f"{mm:.4g}" for mm in volume.spacing)
    return {
        "data": f"{name}, {modality}, {shape} voxels of {voxel} mm; split: {split}",
        "holes": f"{described}; seed {seed}; one fill for all",
        "convention": f"{convention}: {CONVENTIONS[convention].summary}",
        "range": str(scale) if convention != "brats" else "taken from the data, hole by hole, as this convention does",
        "n": f"{count} hole{'s' if count > 1 else ''}; mean ± standard deviation over holes",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, numpy {np.__version__}; s = wall time of one fill",
    }
