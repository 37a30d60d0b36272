"""How good the method `consensus` is in people whom its weights have not seen: one person is left out at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from MedInpaintLib.consensus import WITHOUT_PATCHES

from .fit import Weights, fit_weights, predict
from .samples import Samples

#: The fills of the table; the best single one is chosen among the first four.
SINGLE = ("smooth", "mirror", "atlas", "patch")
MEAN, FEWER, CONSENSUS = "plain mean", "without patches", "consensus"
#: Method -> its PSNR in each ball.
Scores = dict[str, list[float]]
#: :data:`CONSENSUS` and :data:`FEWER` -> their weights.
Learned = dict[str, Weights]


def learned(samples: list[Samples]) -> Learned:
    """Return the weights of all fills, and those without patches."""
    return {CONSENSUS: fit_weights(samples), FEWER: fit_weights(samples, tuple(WITHOUT_PATCHES))}


def leave_one_out(
    samples: Sequence[Samples], learn: Callable[[list[Samples]], Learned] = learned
) -> Iterator[tuple[Samples, Learned]]:
    """Yield the samples of each scan with weights that were learned from all other people."""
    for subject in sorted({each.subject for each in samples}):
        weights = learn([each for each in samples if each.subject != subject])
        for each in samples:
            if each.subject == subject:
                yield each, weights


def score(samples: Samples, weights: Learned) -> Scores:
    """Return the PSNR of each fill in each ball, dB; the range is 1, that of the scale in which methods work."""
    fills = {name: getattr(samples, name) for name in SINGLE}
    fills[MEAN] = (samples.mirror + samples.atlas) / 2
    fills |= {name: predict(samples, own)[0] for name, own in weights.items()}
    return {name: (-10 * np.log10(samples.errors(fill))).tolist() for name, fill in fills.items()}


def group_of(samples: Samples) -> str:
    """Return the group of a scan's balls in words."""
    contrast = "T1" if samples.contrast == "T1" else "other contrasts"
    return f"{contrast}, {'40 mm' if samples.large else '12-30 mm'}"


def table(samples: Sequence[Samples]) -> str:
    """Return a table in Markdown: the mean PSNR by person, and what the consensus gains over the best single fill."""
    groups: dict[str, dict[str, list[Scores]]] = {}
    for each, weights in leave_one_out(samples):
        groups.setdefault(group_of(each), {}).setdefault(each.subject, []).append(score(each, weights))
    methods = (*SINGLE, MEAN, FEWER, CONSENSUS)
    lines = [
        f"| group | people | {' | '.join(methods)} | consensus - best single |",
        f"|---|---:|{'---:|' * len(methods)}---|",
    ]
    for name in sorted(groups, reverse=True):
        people = groups[name].values()
        means = {
            method: np.array([np.mean([psnr for scores in own for psnr in scores[method]]) for own in people])
            for method in methods
        }
        best = max(SINGLE, key=lambda method: float(means[method].mean()))
        gain = means[CONSENSUS] - means[best]
        error = f" ± {gain.std(ddof=1) / len(gain) ** 0.5:.2f}" if len(gain) > 1 else ""
        cells = " | ".join(f"{means[method].mean():.2f}" for method in methods)
        lines.append(f"| {name} | {len(gain)} | {cells} | {gain.mean():+.2f}{error} ({best}) |")
    return "\n".join(lines)
