"""The command and the page of the study `latent-search`: tables, figures, settings, and what they show of claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.files import write_text
from MedInpaintLib.latent.search import CHECK, Settings
from MedInpaintLib.methods import latent, registry
from MedInpaintLib.models import store
from MedInpaintLib.parameters import describe

from ..shared.cards import Card, card_scores, write_cards
from ..shared.cases import Case, Task, options, selected
from ..shared.facts import read_facts, write_facts
from ..shared.pages import (
    CLAIMS,
    MASKED_3D,
    SCORES_3D,
    claim,
    claims_head,
    describe_models,
    draw,
    introduction,
    models_table,
)
from ..shared.scores import SCORES, mean_seconds, read_cases, write_scores
from ..shared.statistics import Difference, Verdict, difference_by_person, reading
from ..shared.tables import about, by_task, compare, of_task, rows_of, score_table
from .measure import (
    ABLATED,
    CHANGES,
    CONTEXTS,
    METRICS,
    MODELS,
    PIXEL_MM,
    SOURCE,
    SWITCHES,
    TASKS,
    UNWEIGHTED,
    WITHDRAWN,
    RandomLoss,
    Slices,
    run,
    variants,
)

BASE = "biharmonic"
#: Figure -> the task whose first case it shows.
FIGURES = {"fills": "mr-20mm", "loss": "mr-95"}
#: Parameters of the methods that do not set the search.
OTHER = ("model", "any_modality")
#: Settings in the paper (Yeh et al., CVPR 2017), which does not give the step size.
PAPER = {
    "steps": "1500",
    "restarts": "1",
    "context": "L1",
    "weighting": "True",
    "window": "7",
    "far": "0",
    "prior": "0.003, of the sum over pixels",
    "bound": "1",
    "start": "random",
    "blend": "poisson",
}
#: Settings that are no parameters of the methods: name -> what it is.
FIXED = {
    "rate": "Step size of Adam; it falls to a tenth along a half cosine.",
    "bound": "Latents are clipped to this absolute value.",
    "tolerance": "A slice is finished when its loss falls by less than this share between two checks.",
    "check": "Steps between two checks.",
    "stride": "Of a volume, every slice of this number is searched first; the others start where it ended.",
    "start": "The latents with which a search begins; a second search begins between these and random ones.",
    "blend": "How the fill is joined to its rim.",
}


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = options("latent-search", out=Path("docs/latent"))
    parser.add_argument("--cards", action="store_true", help="write the scores into the models' cards, too")
    chosen = parser.parse_args(arguments)
    cases = run(chosen.data, chosen.out, **selected(chosen))
    write_page(cases, chosen.data, chosen.out, chosen.split)
    if chosen.cards:
        write_cards(cards(chosen.out))


def write_page(cases: Sequence[Case], data: Path, out: Path, split: str) -> None:
    """Write the table, the facts, the figures and, from these, ``README.md``, beside the folder ``cases``."""
    write_scores(cases, METRICS, out / SCORES)
    pictures = {}
    for figure, name in FIGURES.items():
        task = next((each for each in TASKS if each.name == name), None)
        if task and (own := of_task(cases, task)):
            shown = {label: each for label, each in variants(task).items() if label in MODELS}
            draw(own[0], task, shown, BASE, data, split, out / f"{figure}.webp")
            pictures[figure] = own[0]["image"]
    models = describe_models({f"{label} (`{name}`)": name for label, (_, name) in MODELS.items()})
    write_facts(
        out, split=split, seconds=mean_seconds(cases), models=models, pictures=pictures, settings=search_settings()
    )
    write_text(out / "README.md", text(out))


def search_settings() -> dict[str, dict[str, Any]]:
    """Return method -> name -> value of all that a search is set to, from the methods and the search themselves."""
    search = Settings()
    fixed = {
        "rate": search.rate,
        "bound": search.bound,
        "tolerance": search.tolerance,
        "check": CHECK,
        "stride": latent.STRIDE,
        "start": "the encoder's guess from the smooth fill",
    }
    settings = {}
    for method in dict.fromkeys(method for method, _ in MODELS.values()):
        info = registry.get(method)
        own = {each.name: each.default for each in describe(info.parameters) if each.name not in OTHER}
        settings[method] = {**own, **fixed, "blend": info.blend}
    return settings


def cards(folder: Path) -> Iterator[Card]:
    """Return the scores of the models in volumes for the cards of those that are there, from the table in a folder."""
    protocol = f"{MASKED_3D}; python -m Research latent-search"
    volumes = [task for task in TASKS if not isinstance(task, Slices)]
    split = read_facts(folder)["split"]
    known = store.models()
    there = {label: (method, name) for label, (method, name) in MODELS.items() if name in known}
    return card_scores(read_cases(folder), there, volumes, METRICS, base=BASE, split=split, protocol=protocol)


def text(folder: Path) -> str:
    """Return the page that the table and the facts in a folder make."""
    cases, facts = read_cases(folder), read_facts(folder)
    models = facts["models"]
    parts = [
        introduction(
            "latent-search",
            "Latent search in GANs and VAEs",
            cases,
            facts,
            models="One T1 image a person. The models have learned from the split train; the methods' constants were "
            "chosen on val.",
            scores=f"{SCORES_3D.format(BASE)}\n\nA single slice is the axial one with "
            f"the largest section of the head, in pixels of {PIXEL_MM:g} mm as the models see it, filled without its "
            "neighbours; its SSIM is in 2-D. Times are those of a machine that also did other work. The error in the "
            "image's units (RMSE) "
            f"is in [{SCORES}]({SCORES}).",
        ),
        models_table(models, "crops"),
        f"Trained on: {models[0]['machine']}, one core a model. What a training costs until it is good enough is on "
        "[another page](../latent-training/README.md).",
        _withdrawn(cases, facts["seconds"]),
        _settings(facts["settings"]),
        "## GAN against VAE, kernel 3 against 7",
    ]
    for task, own in by_task(cases, TASKS):
        table = score_table(own, BASE, methods=["shell-mean", BASE, *MODELS], trained=MODELS)
        parts.append(f"### {task.title}\n\n{about(task, own)}\n\n{table}")
        for figure, name in FIGURES.items():
            if name == task.name and figure in facts["pictures"]:
                parts.append(f"![Fills]({figure}.webp)\n\n*{facts['pictures'][figure]}, the first of the list.*")
    parts += [_ablation([case for case in cases if case["task"] == ABLATED]), _claims(cases, facts["settings"])]
    return "\n\n".join(filter(None, parts)) + "\n"


def _withdrawn(cases: Sequence[Case], seconds: Mapping[str, Mapping[str, float]]) -> str:
    """Say which models no longer come with MedInpaint, for which reason, and how to train them; empty without any.

    Args:
        cases: all.
        seconds: task -> method -> mean seconds of a case.
    """
    kinds = sorted({label.partition("-")[0] for label, (_, name) in MODELS.items() if name in WITHDRAWN}, reverse=True)
    if not kinds:
        return ""
    gains, slower = [], []
    for task, own in by_task(cases, TASKS):
        for kind in kinds:
            larger, smaller = f"{kind}-7", f"{kind}-3"
            gains.append(compare(own, larger, smaller, trained=True))
            slower.append(seconds[task.name][larger] / seconds[task.name][smaller])
    better = sum(gain.verdict is Verdict.BETTER for gain in gains)
    largest = max(gains, key=lambda gain: gain.mean)
    models = " and ".join(f"`{name}`" for name in WITHDRAWN)
    return (
        f"{models} are measured here but no longer come with MedInpaint. Of the {len(gains)} comparisons with kernel 3 "
        f"[below](#statements-and-whether-they-hold-here), kernel 7 is better in {better or 'none'}; its largest gain "
        f"is {largest}, and a case takes {min(slower):.1f} to {max(slower):.1f} times as long. Their recipes do come "
        f"with it. To use such a model, or to run this study again, train it (`medinpaint train {WITHDRAWN[0]} --data "
        f"DATA --out runs/{WITHDRAWN[0]}`) and add it (`medinpaint models add runs/{WITHDRAWN[0]}/{WITHDRAWN[0]}`)."
    )


def _settings(settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a table of all that a search is set to, beside the paper that it is from."""
    helps = {each.name: each.help for each in describe(latent.Options) if each.name not in OTHER} | FIXED
    methods = dict.fromkeys(method for method, _ in MODELS.values())
    lines = [
        "## Settings of the search\n",
        "By default, and in all that follows unless another value is named; the first rows are parameters of the "
        "methods (`--set NAME=VALUE`). Here the context loss is a mean over the known pixels, in the paper (Yeh et "
        "al., CVPR 2017) a sum, so weights of the prior cannot be compared across the last two columns.\n",
        f"| setting | {' | '.join(f'`{method}`' for method in methods)} | in the paper | what it is |",
        f"|---|{'---|' * len(methods)}---|---|",
    ]
    for name, words in helps.items():
        values = " | ".join(str(settings[method][name]) for method in methods)
        lines.append(f"| `{name}` | {values} | {PAPER.get(name, '')} | {words} |")
    return "\n".join(lines)


def _ablation(own: Sequence[Case]) -> str:
    """Return tables of the fills with one part of the search changed, a table a model; empty without cases."""
    if not own:
        return ""
    source, unweighted = (
        ", ".join(f"`{name}={value}`" for name, value in CONTEXTS[each][0].items()) for each in (SOURCE, UNWEIGHTED)
    )
    task = next(each for each in TASKS if each.name == ABLATED)
    parts = [
        "## What each part does\n\n"
        f"The same holes ({about(task, own)[:-1]}) and the same weights, with one part of the search changed; Δ to "
        f"the whole method. *{SOURCE}*: {source}. *{UNWEIGHTED}*: {unweighted}."
    ]
    parts += [
        score_table(own, label, methods=[label, *(f"{label}, {change}" for change in CHANGES)]) for label in MODELS
    ]
    return "\n\n".join(parts)


def _claims(cases: Sequence[Case], settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a table of what earlier work reports, and whether it holds here."""
    lines = [
        "## Statements, and whether they hold here\n",
        f"Those on networks, on prior, weighting and blending are claims of earlier work. {CLAIMS}\n",
        *claims_head("statement", "holds?"),
    ]
    for task, own in by_task(cases, TASKS):
        for kernel in (3, 7):
            words = f"VAE ahead of GAN, kernel {kernel}"
            lines.append(claim(words, task, own, f"VAE-{kernel}", f"GAN-{kernel}", trained=True))
        for kind in ("VAE", "GAN"):
            words = f"Kernel 7 ahead of kernel 3, {kind}"
            lines.append(claim(words, task, own, f"{kind}-7", f"{kind}-3", trained=True))
        if isinstance(task, RandomLoss):
            lines += [claim(f"{label} ahead of `{BASE}`", task, own, label, BASE, trained=True) for label in MODELS]
        if task.name == ABLATED:
            lines += _claims_of_parts(task, own, settings)
    return "\n".join(lines)


def _claims_of_parts(task: Task, own: Sequence[Case], settings: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of claims about parts of the search."""
    for label, (method, _) in MODELS.items():
        names = [f"The {switch.removeprefix('no ')} helps" for switch in SWITCHES]
        for words, switch in zip(names, SWITCHES, strict=True):
            weight = f" (its weight is {settings[method]['prior']:g})" if switch == "no prior" else ""
            # The same weights on both sides of these lines: no chance of a training lies between the two.
            yield claim(f"{words}{weight}, {label}", task, own, label, f"{label}, {switch}", trained=False)
        words = f"The weighting of the source helps its L1 loss, {label}"
        yield claim(words, task, own, f"{label}, {SOURCE}", f"{label}, {UNWEIGHTED}", trained=False)
        words = f"Our context loss ahead of the source's, {label}"
        yield claim(words, task, own, label, f"{label}, {SOURCE}", trained=False)
    for kernel in (3, 7):
        vae, gan = (f"{kind}-{kernel}" for kind in ("VAE", "GAN"))
        psnr, ssim = (more_from(own, vae, gan, "no prior", metric) for metric in ("psnr", "ssim"))
        weights = " and ".join(f"{settings[MODELS[label][0]]['prior']:g}" for label in (vae, gan))
        words = f"The prior helps the VAE more than the GAN (weights {weights}), kernel {kernel}"
        yield f"| {words} | {task.title} | {reading(psnr, 'yes', 'no')} | {ssim} |"


def more_from(cases: Sequence[Case], first: str, second: str, switch: str, metric: str) -> Difference:
    """Return by how much more a part of the search gains in one model than in another, averaged over people.

    Args:
        cases: of one task.
        first, second: labels of the models.
        switch: the label of the change that leaves the part out.
        metric: of the scores.
    """
    rows = rows_of(cases)
    gains: dict[str, list[float]] = {}
    for key, whole in rows[first].items():
        gain = whole[metric] - rows[f"{first}, {switch}"][key][metric]
        other = rows[second][key][metric] - rows[f"{second}, {switch}"][key][metric]
        gains.setdefault(cases[key[0]]["subject"], []).append(gain - other)
    # Two models, so two trainings.
    return difference_by_person(gains, metric, trained=True)
