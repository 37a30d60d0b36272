"""The command and the page of the study `latent-training`: what a training costs, and when tissue clusters appear."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.evaluation.figure import write_figure
from MedInpaintLib.files import make_folder, write_text

from ..shared.cases import training_options
from ..shared.facts import read_facts, write_facts
from ..shared.manifests import read_rows, write_rows
from .clusters import PROMINENCE, TISSUES, WIDTH
from .measure import EVERY, SIZES, Outcome, run

CHECKS = "checks.csv.gz"
COLUMNS = ("network", "step", "seconds", "psnr", "plain_psnr", "distance", "clusters")
CURVES, SAMPLES = "curves.webp", "samples.webp"
#: Column -> the quality in words, and whether less of it is better.
QUALITIES = {
    "psnr": ("PSNR of fills, each network with its own search", False),
    "plain_psnr": ("PSNR of fills, the same search for all", False),
    "distance": ("distance of intensities", True),
}
UNITS = {"psnr": " dB", "plain_psnr": " dB", "distance": ""}
#: The claim: so much of the epochs, of which each takes so much of the time.
CLAIMED = (0.75, 0.75)
#: Tissue clusters count as formed when as many images have them as this share of the real ones that do.
FORMED = 0.5
KERNELS = (3, 7)
#: Columns of the picture of generated crops.
SHOWN = 10

#: Column -> its values at the checks, and ``"step"`` -> these.
Curve = dict[str, np.ndarray]


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = training_options("latent-training", Path("docs/latent-training"), SIZES)
    chosen = parser.parse_args(arguments)
    outcome = run(chosen.data, chosen.runs, chosen.steps or SIZES[chosen.size], chosen.accelerator)
    write_page(outcome, chosen.out)


def write_page(outcome: Outcome, out: Path) -> None:
    """Write the table, the facts, the pictures and, from these, ``README.md``."""
    make_folder(out)
    write_rows(out / CHECKS, [COLUMNS, *([_cell(row[name]) for name in COLUMNS] for row in outcome.rows)])
    write_facts(out, **outcome.facts)
    _draw_samples(outcome, out / SAMPLES)
    draw_curves(read_curves(out), outcome.facts, out / CURVES)
    write_text(out / "README.md", text(out))


def _cell(value: object) -> object:
    return f"{value:.5g}" if isinstance(value, float) else value


def read_curves(folder: Path) -> dict[str, Curve]:
    """Return network -> column -> values at its checks, from the table in a folder."""
    rows = read_rows(folder / CHECKS)
    return {
        network: {
            name: np.array([float(row[name]) for row in rows if row["network"] == network]) for name in COLUMNS[1:]
        }
        for network in dict.fromkeys(row["network"] for row in rows)
    }


def text(folder: Path) -> str:
    """Return the page that the table and the facts in a folder make."""
    curves, facts = read_curves(folder), read_facts(folder)
    return "\n\n".join([_head(facts), _cost(curves, facts), _clusters(curves, facts), _pictures(facts)]) + "\n"


def _head(facts: Mapping[str, Any]) -> str:
    """Return what was trained, on what, and how it was measured."""
    epoch = facts["epoch"]
    return (
        "# What it costs to train a VAE and a GAN\n\n"
        "Earlier work reports that the VAE needs 25 % fewer epochs than the GAN, that each of them takes 25 % less "
        "time, and that the VAE is the first to show the three clusters of tissue in the histogram of its images.\n\n"
        "The four networks of [latent search](../latent/README.md) were trained again by the recipes of the models "
        f"measured there: {facts['steps']} steps of {facts['batch']} crops, all with the same crops in the same order, "
        f"from {facts['images']} images of {facts['people']} people (split train). An epoch is {epoch} crops, as many "
        f"as there are slices; {facts['steps'] * facts['batch'] / epoch:.1f} epochs in all. The networks took turns of "
        f"{EVERY} steps, on one core; the time of a step is the median of its processor time. Every {EVERY} steps "
        f"these were measured: the PSNR of fills of {facts['validation']}; and what {facts['generated']} random "
        "latents generate. Checks are not part of the times. Made by\n\n"
        f"    python -m Research latent-training --data DATA --steps {facts['steps']}\n\n"
        f"on {facts['made']}. All checks are in [{CHECKS}]({CHECKS}).\n\n"
        "The two kinds of networks have no loss in common, so the qualities are those of what they are for:\n\n"
        "- *PSNR of fills, each network with its own search*: the validation of its recipe. The VAE's search has a "
        "prior and 40 steps, the GAN's none and 60, so this is the quality of network and search together.\n"
        f"- *PSNR of fills, the same search for all*: {facts['search_steps']} steps from the encoder's guess, no "
        "prior. It leaves out the prior, which belongs to the VAE's design.\n"
        "- *Distance of intensities*: 1-Wasserstein distance between the intensities of all generated and all real "
        "crops, on the scale of 0..1 from dark to bright. It needs no search, and knows nothing of shapes.\n\n"
        "What random latents generate favours the GAN in a short training: the term of the VAE's loss that makes its "
        f"latents normal has its full weight after {facts['warm_up']} steps only, as in the recipe."
    )


def seconds_per_epoch(curve: Curve, facts: Mapping[str, Any]) -> float:
    """Return the processor time of an epoch, from the median time of a step."""
    return float(np.nanmedian(curve["seconds"])) * facts["epoch"] / facts["batch"]


def reached(steps: np.ndarray, values: np.ndarray, quality: float, *, less: bool = False) -> float:
    """Return the step at which a quality is first reached, infinity for never; between two checks by a straight line.

    Args:
        steps: of the checks, ascending.
        values: at these.
        quality: to reach.
        less: whether less is better.

    >>> reached(np.array([10, 20]), np.array([1.0, 3.0]), 2.0)
    15.0
    """
    sign = -1.0 if less else 1.0
    there = np.flatnonzero(sign * values >= sign * quality)
    if not len(there):
        return math.inf
    last = int(there[0])
    if last == 0:
        return float(steps[0])
    before, after = values[last - 1], values[last]
    return float(steps[last - 1] + (quality - before) / (after - before) * (steps[last] - steps[last - 1]))


def common_quality(first: np.ndarray, second: np.ndarray, *, less: bool = False) -> float:
    """Return the best quality that both of two curves reach."""
    return float(max(first.min(), second.min()) if less else min(first.max(), second.max()))


def _cost(curves: Mapping[str, Curve], facts: Mapping[str, Any]) -> str:
    """Return the table of epochs to a quality times the time of an epoch."""
    fewer, quicker = CLAIMED
    claimed = fewer * quicker
    lines = [
        "## Epochs to a quality, times the time of an epoch\n",
        "The quality is the best that both networks of a kernel reach at some check; the epochs are those until each "
        f"first reaches it. Claimed is {fewer:g} x {quicker:g} = {claimed:.2f} of the GAN's cost, "
        f"{_percent(1 - claimed)} less; 1 / {claimed:.2f} makes that {_percent(1 / claimed - 1)} faster.\n",
        "| kernel | quality | reached | VAE: epochs | x s | = min | GAN: epochs | x s | = min | VAE over GAN: epochs | "
        "time of an epoch | cost |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for kernel in KERNELS:
        vae, gan = (curves[f"{kind}-{kernel}"] for kind in ("VAE", "GAN"))
        for name, (words, less) in QUALITIES.items():
            quality = common_quality(vae[name], gan[name], less=less)
            cells, costs = [], []
            for curve in (vae, gan):
                epochs = reached(curve["step"], curve[name], quality, less=less) * facts["batch"] / facts["epoch"]
                seconds = seconds_per_epoch(curve, facts)
                costs.append((epochs, seconds))
                cells += [f"{epochs:.2f}", f"{seconds:.0f}", f"{epochs * seconds / 60:.1f}"]
            (epochs, seconds), (gan_epochs, gan_seconds) = costs
            ratios = (epochs / gan_epochs, seconds / gan_seconds, epochs * seconds / (gan_epochs * gan_seconds))
            digits = 3 if less else 2
            lines.append(
                f"| {kernel} | {words} | {quality:.{digits}f}{UNITS[name]} | {' | '.join(cells)} | "
                f"{' | '.join(f'{ratio:.2f}' for ratio in ratios)} |"
            )
    lines.append(
        "\nOne training each, so the chance of a training is not known, and no ratio of epochs here is a finding "
        "about other trainings. The time of an epoch does not depend on chance, but on the machine."
    )
    return "\n".join(lines)


def _clusters(curves: Mapping[str, Curve], facts: Mapping[str, Any]) -> str:
    """Return the table of tissue clusters, and which kind of network forms them first."""
    real = facts["real_clusters"]
    lines = [
        "## Which forms the clusters of tissue first?\n",
        f"A crop has the clusters when the histogram of its intensities has {TISSUES} modes or more (air or fluid, "
        f"grey and white matter), smoothed by {WIDTH:g} on the scale of 0..1, each rising by {_percent(PROMINENCE)} of "
        f"the highest mode above its valleys; over many people the histogram has no such clusters. {_percent(real)} of "
        f"{facts['generated']} real crops have them. They count as formed when {_percent(FORMED)} as many generated "
        "crops do, and can be lost again in later steps. *Full training*: the share of "
        "the models on that page, and the steps for which they were trained; [not all of them]"
        "(../latent/README.md#the-models) come with MedInpaint.\n",
        f"| network | epochs until formed | min | share after {facts['steps']} steps | full training |",
        "|---|---:|---:|---:|---:|",
    ]
    formed = {}
    for network, curve in curves.items():
        step = reached(curve["step"], curve["clusters"], FORMED * real)
        epochs = step * facts["batch"] / facts["epoch"]
        formed[network] = epochs * seconds_per_epoch(curve, facts) / 60
        released = facts["released"][network]
        cells = f"{epochs:.2f} | {formed[network]:.1f}" if math.isfinite(step) else "not formed | "
        lines.append(
            f"| {network} | {cells} | {_percent(curve['clusters'][-1])} | {_percent(released['clusters'])}, "
            f"{released['steps']} steps |"
        )
    sentences = [f"Kernel {kernel}: {first_formed(formed, kernel)}." for kernel in KERNELS]
    long = [network for network in curves if facts["released"][network]["clusters"] >= FORMED * real]
    lines.append(
        f"\n{' '.join(sentences)} Of the models of the last column, these have them: "
        f"{', '.join(long) or 'none'}. One training each; the chance of a training is not known."
    )
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def first_formed(formed: Mapping[str, float], kernel: int) -> str:
    """Say which network of a kernel formed the clusters first, from the minutes that each took, or infinity."""
    vae, gan = (formed[f"{kind}-{kernel}"] for kind in ("VAE", "GAN"))
    if not math.isfinite(min(vae, gan)):
        return "neither formed them"
    if vae == gan:
        return "both formed them at the same time"
    first, second = ("VAE", "GAN") if vae < gan else ("GAN", "VAE")
    return (
        f"the {first} formed them first"
        if math.isfinite(max(vae, gan))
        else f"only the {first} formed them, not the {second}"
    )


def _pictures(facts: Mapping[str, Any]) -> str:
    return (
        "## Curves and pictures\n\n"
        f"![Quality against time]({CURVES})\n\n"
        "*Quality against the processor time of the training; of the distance, less is better. Dashed: the "
        "share of real crops.*\n\n"
        f"![Generated crops]({SAMPLES})\n\n"
        f"*Crops of random latents after {facts['steps']} steps, the same latents in each column, and real crops.*"
    )


def draw_curves(curves: Mapping[str, Curve], facts: Mapping[str, Any], path: Path) -> None:
    """Draw the qualities and the share of crops with tissue clusters against processor time, a line a network."""
    from matplotlib.figure import Figure

    titles = {
        "psnr": "PSNR of fills, own search, dB",
        "plain_psnr": "PSNR of fills, same search, dB",
        "distance": "distance of intensities",
        "clusters": "share with tissue clusters",
    }
    figure = Figure(figsize=(9, 6), dpi=110, layout="constrained")
    for axis, (name, title) in zip(figure.subplots(2, 2, sharex=True).flat, titles.items(), strict=True):
        for network, curve in curves.items():
            minutes = curve["step"] * facts["batch"] / facts["epoch"] * seconds_per_epoch(curve, facts) / 60
            colour, line = ("C0" if network.startswith("VAE") else "C1"), ("-" if network.endswith("3") else ":")
            axis.plot(minutes, curve[name], color=colour, linestyle=line, marker="o", markersize=3, label=network)
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        if name == "clusters":
            axis.axhline(facts["real_clusters"], color="0.5", linestyle="--", linewidth=1)
            axis.legend(frameon=False, fontsize=8)
        if name in ("distance", "clusters"):
            axis.set_ylim(bottom=0)
            axis.set_xlabel("minutes of processor time")
    write_figure(figure, path)


def _draw_samples(outcome: Outcome, path: Path) -> None:
    """Draw generated crops, a row a network, above real ones."""
    from matplotlib.figure import Figure

    rows = {**outcome.generated, "real": outcome.real}
    figure = Figure(figsize=(0.9 * SHOWN, 0.95 * len(rows)), dpi=110, layout="constrained")
    for (label, images), axes in zip(rows.items(), figure.subplots(len(rows), SHOWN), strict=True):
        axes[0].set_ylabel(label, fontsize=9)
        for image, axis in zip(images, axes, strict=False):
            axis.imshow(image, cmap="gray", vmin=0, vmax=1)
            axis.set_xticks([])
            axis.set_yticks([])
    write_figure(figure, path)
