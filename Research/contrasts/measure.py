"""Estimates of a missing contrast and their scores; answers are kept, a file for each model, session and question."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.files import write_text
from MedInpaintLib.imputation.estimate import estimate, load_network
from MedInpaintLib.imputation.regression import regress
from MedInpaintLib.metrics import nmse, ssim_map
from MedInpaintLib.models.bundle import Bundle
from MedInpaintLib.models.once import LoadedModel

from ..comparators.rescaling import match_histograms
from ..shared.cases import folder_of, in_parallel
from ..shared.conventions import MOST
from .arms import FROM_ONE, MAIN, QUESTIONS, REGRESSION, RESCALED, Question, Size, asked, label_of
from .lesions_kept import lesions_by_rule, lesions_kept
from .segmenter import Segmenter, dice
from .sessions import LEAST_PIXELS, Session, read_sessions
from .table import TRUTH, Measured, Row

#: Voxels of each session to which estimates without a network are fitted.
_SAMPLES = 100_000
#: Stands for all estimates without a network where models have names.
_WITHOUT = ""


def estimates_without_network(
    session: Session, question: Question, learning: Sequence[Session]
) -> dict[str, np.ndarray]:
    """Return by method what is estimated without a network, from fits to the sessions from which networks learn."""
    target, there = question
    pairs = []
    for each in learning:
        if {target, *there} <= each.scaled.keys():
            step = max(1, int(each.inside.sum()) // _SAMPLES)
            sources, truth = (
                np.stack([each.scaled[name][each.inside][::step] for name in names]) for names in (there, [target])
            )
            pairs.append((sources, truth[0]))
    sources = np.stack([session.scaled[name] for name in there])
    by_method = {REGRESSION: regress(pairs)(sources)}
    if len(there) == 1:
        by_method[RESCALED] = match_histograms([(source[0], truth) for source, truth in pairs])(sources[0])
    return by_method


def estimate_by(bundle: Bundle, session: Session, question: Question) -> np.ndarray:
    """Return a network's estimate, float32 of the session's shape, on the scale of the core."""
    target, there = question
    images = {name: session.volumes[name] for name in there}
    return estimate(images, target, bundle, LoadedModel(bundle, load_network, "cpu").on_device)


def measure(
    models: dict[str, Bundle],
    segmenter: Segmenter,
    size: Size,
    data: Path,
    out: Path,
    *,
    source: str,
    split: str = "test",
    workers: int = 2,
) -> Measured:
    """Ask all questions of all models, and of what needs no network; earlier answers are read from their files.

    Args:
        models: name -> model.
        segmenter: of lesions.
        size: of the tests.
        data: folder with MANIFEST.csv.
        out: folder for the page; answers are kept in ``cases`` in it.
        source: the fingerprint of the data.
        split: to test on.
        workers: questions at a time, each with a core of its own.
    """
    keep = out / "cases" / split
    same = f"{source}{segmenter.identity}"
    folders = {_WITHOUT: folder_of(keep, [], same)}
    folders |= {name: folder_of(keep, [str(bundle.folder)], same) for name, bundle in models.items()}
    jobs = [
        (data, split, number, question, models, segmenter, size, folders)
        for number, session in enumerate(read_sessions(data, split))
        for question in QUESTIONS
        if {question[0], *question[1]} <= session.scaled.keys()
    ]
    scores: list[Row] = []
    lesions: list[Row] = []
    for rows, of_lesions in in_parallel(_answered, jobs, workers=workers):
        scores += rows
        lesions += of_lesions
        print(f"{rows[0]['session']}: {rows[0]['wanted']} from {rows[0]['there']}", flush=True)
    # In the order of the questions: answers arrive in any order.
    order = {(target, "+".join(there)): number for number, (target, there) in enumerate(QUESTIONS)}
    scores.sort(key=lambda row: (row["session"], order[row["wanted"], row["there"]]))
    lesions.sort(key=lambda row: (row["session"], order[MAIN[0], row["there"]]))
    return Measured(scores, lesions)


def _answered(
    data: Path,
    split: str,
    number: int,
    question: Question,
    models: dict[str, Bundle],
    segmenter: Segmenter,
    size: Size,
    folders: dict[str, Path],
) -> tuple[list[Row], list[Row]]:
    """Return the rows of all methods for a question about a session; what has no file is answered first."""
    file = f"{number}--{question[0]}-from-{'-'.join(question[1])}--{size.every}.json"
    paths = {name: folder / file for name, folder in folders.items() if asked(name, question)}
    missing = [name for name, path in paths.items() if not path.is_file()]
    if missing:
        session = read_sessions(data, split)[number]
        scorer = Scorer(session, question, segmenter, size.every)
        for name in missing:
            if name == _WITHOUT:
                by_method = estimates_without_network(session, question, read_sessions(data, "train"))
            else:
                by_method = {label_of(name): estimate_by(models[name], session, question)}
            truth = [scorer.truth_row()] if name == _WITHOUT and scorer.looks_at_lesions else []
            scores = [row for method, each in by_method.items() for row in scorer.score_rows(method, each)]
            lesions = [scorer.lesion_row(*item) for item in by_method.items()] if scorer.looks_at_lesions else []
            write_text(paths[name], json.dumps({"scores": scores, "lesions": [*truth, *lesions]}) + "\n")
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in paths.values()]
    scores, lesions = ([row for each in kept for row in each[kind]] for kind in ("scores", "lesions"))
    return scores, lesions


class Scorer:
    """Scores estimates of one contrast of a session.

    Args:
        session: with the truth.
        question: what is wanted, and from what.
        segmenter: of lesions, for the questions in which :attr:`looks_at_lesions` is True.
        every: the step between the slices that are scored.
    """

    def __init__(self, session: Session, question: Question, segmenter: Segmenter, every: int) -> None:
        self.session, self.segmenter, self.every = session, segmenter, every
        self.truth = session.scaled[question[0]]
        self.about = {"session": session.name, "subject": session.subject}
        self.asked = {"wanted": question[0], "there": "+".join(question[1])}
        self.looks_at_lesions = question in (MAIN, FROM_ONE)
        if self.looks_at_lesions:
            self.segmented = segmenter.lesions(self.truth, session)

    def score_rows(self, method: str, estimated: np.ndarray) -> list[Row]:
        """Return a row per slice: NMSE and SSIM over the brain, and PSNR and SSIM of the whole slice."""
        top = float(np.percentile(self.truth[self.session.inside], 99.5))
        rows = []
        stacks = [self.session.turned.turn(each) for each in (estimated, self.truth, self.session.inside)]
        for number, (fill, true, inside) in enumerate(zip(*stacks, strict=True)):
            if number % self.every == 0 and inside.sum() >= LEAST_PIXELS:
                psnr, ssim = whole_slice(fill, true)
                rows.append(
                    {
                        **self.about,
                        **self.asked,
                        "method": method,
                        "slice": number,
                        "nmse": nmse(fill, true, inside),
                        "ssim": float(ssim_map(fill, true, data_range=top)[inside].mean()),
                        "slice_psnr": psnr,
                        "slice_ssim": ssim,
                    }
                )
        return rows

    def lesion_row(self, method: str, estimated: np.ndarray) -> Row:
        """Return how lesions appear in an estimate, and the Dice of what the segmenter sees in it and in the truth."""
        segmented = self.segmenter.lesions(estimated, self.session)
        return self._lesion_row(method, estimated, dice(segmented, self.segmented))

    def truth_row(self) -> Row:
        """Return the same of the truth, with the Dice of what the segmenter sees in it and of what is bright in it."""
        bright = lesions_by_rule(self.truth, self.session.inside, self._spacing)
        return self._lesion_row(TRUTH, self.truth, dice(self.segmented, bright))

    def _lesion_row(self, method: str, image: np.ndarray, overlap: float) -> Row:
        kept = dataclasses.asdict(lesions_kept(image, self.truth, self.session.inside, self._spacing))
        # No lesion has no contrast, and JSON has no NaN.
        kept = {name: None if math.isnan(value) else value for name, value in kept.items()}
        return {**self.about, "there": self.asked["there"], "method": method, **kept, "dice": overlap}

    @property
    def _spacing(self) -> tuple[float, ...]:
        return self.session.volumes[self.asked["wanted"]].spacing


def whole_slice(estimated: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Return PSNR, dB, and SSIM of a whole slice, background included, each image divided by its own maximum.

    So does the validation of ResViT (Dalmaz et al., IEEE Trans Med Imaging 2022;41:2598-2614; their train.py), and the
    range is 1. An estimate that is too bright or too dark as a whole is as good as another; PSNR ends at
    :data:`..shared.conventions.MOST`.
    """
    first, second = (each / max(float(each.max()), 1e-6) for each in (estimated, truth))
    error = float(np.mean((first - second) ** 2))
    psnr = min(-10 * math.log10(error), MOST) if error > 0 else MOST
    return psnr, float(ssim_map(first, second, data_range=1.0).mean())
