"""The page of the study `contrasts`, made from the tables and facts in its folder alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.imputation.core import DEPTH_MM, MEDIAN

from ..shared.statistics import Difference, Verdict, reading
from .arms import ARMS, FROM_ONE, MAIN, METHODS, PUBLISHED, QUESTIONS, REGRESSION, RELEASED, RESCALED, Question
from .card import PROTOCOL
from .lesions_kept import BESIDE_MM, BRIGHT, LEAST_ML, RIM_MM
from .sessions import LEAST_PIXELS
from .table import LESIONS, SCORES, TRUTH, Table, read_table

#: What the labels in the tables are.
METHODS_IN_WORDS = (
    f"`{RELEASED}` is the model that comes with MedInpaint, a smaller network after CollaGAN. `{ARMS[0].label}` is the "
    "same network, trained for this page; `without ...` and `L1 only` leave out parts of its losses or of its "
    f"training. `{REGRESSION}` estimates a voxel as a weighted sum of what the images show there; `{RESCALED}` maps "
    "the brightness of one image so that its histogram is that of the contrast that is wanted. Both are "
    "fitted to the split train."
)


def text(folder: Path) -> str:
    """Return the page from the files in its folder."""
    table = read_table(folder)
    wanted, there = MAIN
    people, facts = len(table.people), table.facts
    parts = [
        "# A contrast is missing",
        f"{wanted} is estimated from {' and '.join(there)}, and from {FROM_ONE[1][0]} alone, by networks that learned "
        f"from {facts['people']} people; and by what needs no network. Methods that get the same images stand "
        "together.",
        METHODS_IN_WORDS,
        f"**Found:**\n\n{finding(table)}",
        main_table(table),
        "## By how much, for each person",
        f"Gains of the first method over the second, averaged over each person's slices: less NMSE, more SSIM. The "
        f"reading is of the NMSE, with the 95 % interval over people: {people} {_people(people)} here. A "
        "difference between networks would also have to exceed the chance of a training, which is not known for NMSE "
        "([seeds](../experiments/seeds/README.md) has it for PSNR and SSIM in holes), so no network is called better "
        "or worse by it.",
        gains_table(table),
        "## In the terms of other papers",
        "Whole axial slices with their background, estimate and truth each divided by its own maximum, so that a wrong "
        "brightness does not count and the range is 1: as in the validation of ResViT "
        "(Dalmaz et al., IEEE Trans Med Imaging 2022), whose code has PSNR alone; SSIM has a Gaussian window of 11 "
        "pixels here. What a method draws into the empty background counts, and one bright pixel darkens all of an "
        "estimate. *Dice*: of what a segmenter of lesions sees in the estimate and in the true FLAIR.",
        field_table(table),
        _about_the_segmenter(table),
        "## Which contrasts are there",
        f"{wanted} when fewer or more contrasts are there: means over people. Without dropout, a network has always "
        "seen all others.",
        by_question(table, [question for question in QUESTIONS if question[0] == wanted]),
        *_other_contrasts(table),
        "## Lesions",
        f"Lesions are what the true FLAIR shows brighter than {BRIGHT:g} times the brain's median, {RIM_MM:g} mm and "
        f"more from its rim, from {LEAST_ML:g} ml on. Contrast: mean in them less that of the tissue "
        f"{BESIDE_MM[0]:g} to {BESIDE_MM[1]:g} mm beside them, over that. *Bright* is what is as bright in the "
        "estimate, in ml: of it, *kept* is bright in the truth, too, and *invented* is not; *missed* is bright in the "
        "truth alone. By brightness alone, what lies near a coil may count, too.",
        lesion_table(table),
        *(f"![{name}]({file})\n\n*{caption}*" for name, file, caption in facts["pictures"]),
        "## How it was measured",
        _networks(table),
        _protocol(table),
    ]
    return "\n\n".join(parts) + "\n"


def finding(table: Table) -> str:
    """Return how the networks compare by the one statistic, for each set of images, and what becomes of lesions."""
    parts = [*(_compared(table, question) for question in (MAIN, FROM_ONE)), _lesions_found(table)]
    return "\n".join(f"- {part}" for part in parts)


def _compared(table: Table, question: Question) -> str:
    """Return the readings of one question: the best against the regression, then the first arm against the others."""
    (best, base), *rest = table.comparisons(question)
    numbers = ", ".join(
        f"{own:.3f} against {other:.3f}"
        for own, other in zip(
            *(table.by_person(question, method, "nmse").values() for method in (best, base)), strict=True
        )
    )
    words = [
        f"From {_from(question)}, NMSE (less is better) of `{best}` and `{base}`, person by person: {numbers}; "
        f"{reading(table.difference(question, best, base), f'`{best}` is better', f'`{best}` is worse')}."
    ]
    verdicts: dict[Verdict, list[str]] = {}
    for one, other in rest:
        verdicts.setdefault(table.difference(question, one, other).verdict, []).append(f"`{other}`")
    first = ARMS[0].label
    for verdict, names in verdicts.items():
        listed = ", ".join(names)
        words.append(
            {
                Verdict.BETTER: f"`{first}` is better than {listed}.",
                Verdict.WORSE: f"`{first}` is worse than {listed}.",
                Verdict.UNCLEAR: f"`{first}` cannot be told apart from {listed}.",
                Verdict.TOO_FEW: f"There are too few people to tell `{first}` from {listed}.",
            }[verdict]
        )
    return " ".join(words)


def _lesions_found(table: Table) -> str:
    """Return in words how much bright tissue the best network shows, session by session."""
    rows = table.lesions_of(MAIN, table.best)
    cases = [
        f"{row['kept_ml']:.0f} of {row['true_ml']:.0f} ml, with a contrast of {_number(row['contrast'])} in place of "
        f"{_number(row['true_contrast'])} and a Dice of {row['dice']:.2f}"
        for row in rows
    ]
    less_than_half = sum(row["kept_ml"] < row["true_ml"] / 2 for row in rows)
    if less_than_half == len(rows):
        verdict = "it does not show lesions as they are"
    elif less_than_half:
        verdict = f"in {less_than_half} of {len(rows)} it shows less than half of them"
    else:
        verdict = "it shows half of them or more"
    return (
        f"Of what is bright in the true {MAIN[0]}, lesions above all, `{table.best}` from {_from(MAIN)} shows as "
        f"bright: {'; '.join(cases)}: **{verdict}**."
    )


def main_table(table: Table) -> str:
    """Return a row per method and set of images: NMSE and SSIM of each person."""
    return _person_table(table, {"nmse": ("NMSE", 3), "ssim": ("SSIM", 3)})


def field_table(table: Table) -> str:
    """Return a row per method and set of images: PSNR and SSIM of whole slices, and the segmenter's Dice."""
    return _person_table(table, {"slice_psnr": ("PSNR, dB", 1), "slice_ssim": ("SSIM", 3), "dice": ("Dice", 2)})


def _person_table(table: Table, metrics: dict[str, tuple[str, int]]) -> str:
    """Return columns of these metrics for each person; metric -> its name and digits."""
    titles = " | ".join(name for name, _ in metrics.values())
    lines = [
        f"| | from | {' | '.join(f'{person}: {titles}' for person in table.people)} |",
        "|---|---|" + "---:|" * (len(metrics) * len(table.people)),
    ]
    rescaled: list[Question] = [(MAIN[0], (name,)) for name in MAIN[1]]
    asked = [(question, RESCALED) for question in rescaled if table.of(question, RESCALED)]
    asked += [(each, method) for each in (FROM_ONE, MAIN) for method in table.methods(each) if method != RESCALED]
    for question, method in asked:
        cells = []
        for person in table.people:
            for metric, (_, digits) in metrics.items():
                value = _value(table, question, method, metric, person)
                cells.append("" if value is None else f"{value:.{digits}f}")
        lines.append(f"| {method} | {_from(question)} | {' | '.join(cells)} |")
    slices = [f"{len(table.of(MAIN, REGRESSION, person))} slices" for person in table.people]
    lines.append("| *scored on* | | " + " | ".join(each + " |" * (len(metrics) - 1) for each in slices) + " |")
    return "\n".join(lines)


def _value(table: Table, question: Question, method: str, metric: str, person: str) -> float | None:
    """Return the mean of a metric over a person's slices or, for the Dice, sessions; None where there is none."""
    if metric != "dice":
        return table.by_person(question, method, metric).get(person)
    dices = [row["dice"] for row in table.lesions_of(question, method) if row["subject"] == person]
    return sum(dices) / len(dices) if dices else None


def gains_table(table: Table) -> str:
    """Return a row per comparison: each person's gains, and the reading of those in NMSE."""
    lines = [
        f"| | from | {' | '.join(f'{person}: NMSE | SSIM' for person in table.people)} | reading, NMSE |",
        "|---|---|" + "---:|---:|" * len(table.people) + "---|",
    ]
    for question in (MAIN, FROM_ONE):
        for one, other in table.comparisons(question):
            cells = []
            for person in table.people:
                for metric, sign in (("nmse", -1), ("ssim", 1)):
                    own, others = (table.by_person(question, method, metric)[person] for method in (one, other))
                    cells.append(f"{sign * (own - others):+.3f}")
            words = _short(table.difference(question, one, other))
            lines.append(f"| `{one}` over `{other}` | {_from(question)} | {' | '.join(cells)} | {words} |")
    return "\n".join(lines)


def _short(difference: Difference) -> str:
    return f"{difference.verdict.value}: {difference}"


def by_question(table: Table, asked: Sequence[Question]) -> str:
    """Return NMSE and SSIM, means over people: a row per method, two columns per question."""
    asked = [question for question in asked if table.methods(question)]
    head = "| | " + " | ".join(f"{wanted} from {'+'.join(there)}: NMSE | SSIM" for wanted, there in asked) + " |"
    lines = [head, "|---|" + "---:|---:|" * len(asked)]
    for method in METHODS:
        if not any(table.of(question, method) for question in asked):
            continue
        cells = [
            f"{table.mean(question, method, metric):.3f}" if table.of(question, method) else ""
            for question in asked
            for metric in ("nmse", "ssim")
        ]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    counts = []
    for question in asked:
        rows = table.of(question, REGRESSION)
        people = len({row["subject"] for row in rows})
        counts.append(f"{people} {_people(people)}, {len(rows)} slices | |")
    lines.append("| *scored on* | " + " ".join(counts))
    return "\n".join(lines)


def _other_contrasts(table: Table) -> list[str]:
    """Return the section on other contrasts than the main one; nothing where none was asked for."""
    asked = [question for question in QUESTIONS if question[0] != MAIN[0] and table.methods(question)]
    return ["## Other contrasts wanted", "Means over people.", by_question(table, asked)] if asked else []


def lesion_table(table: Table) -> str:
    """Return a row per session, method and set of images."""
    lines = [
        "| session | method | from | bright, ml | kept | missed | invented | contrast |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for session in dict.fromkeys(row["session"] for row in table.lesions):
        for question, method in table.lesion_methods():
            for row in table.lesions_of(question, method):
                if row["session"] != session:
                    continue
                if method == TRUTH:
                    cells = ["", f"{row['true_ml']:.1f}", "", "", "", _number(row["true_contrast"])]
                else:
                    kept = row["kept_ml"]
                    volumes = (row["found_ml"], kept, row["true_ml"] - kept, row["found_ml"] - kept)
                    cells = [_from(question), *(f"{each:.1f}" for each in volumes), _number(row["contrast"])]
                lines.append(f"| {session} | {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _about_the_segmenter(table: Table) -> str:
    """Return how the segmenter was trained and how far it agrees with its own labels."""
    facts = table.facts["segmenter"]
    own = ", ".join(f"{row['dice']:.2f} ({row['session']})" for row in table.lesions_of(MAIN, TRUTH))
    rule = ", ".join(f"{each:.2f}" for each in facts["rule against mask"])
    check = f" (Dice of rule and mask where there are both: {rule})" if rule else ""
    return (
        f"The segmenter is a U-Net of {facts['parameters']:,} parameters that learned in {facts['steps']} steps from "
        f"the true FLAIR of {facts['people by mask']} people with masks of lesions and {facts['people by rule']} whose "
        f"lesions are what is bright by the rule below{check}. In the true FLAIR of those tested, the Dice of what it "
        f"sees and of what is bright by the rule: {own}. Its settings were chosen by the Dice on val, while that on "
        "test could be seen. So it tells whether an estimate shows what stands out, and not whether a radiologist "
        "would find the disease."
    )


def _networks(table: Table) -> str:
    """Return a table of the networks: size and training."""
    lines = [
        "| network | architecture | parameters | steps | crops a step | minutes |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for each in table.facts["networks"]:
        lines.append(
            f"| {each['name']} | {each['architecture']} | {each['parameters']:,} | {each['steps']} | {each['batch']} | "
            f"{each['minutes']:.0f} |"
        )
    return "\n".join(lines)


def _protocol(table: Table) -> str:
    """Return paragraphs on how the networks learned and how the numbers were measured."""
    facts = table.facts
    names = [each["name"] for each in facts["networks"]]
    first = facts["networks"][names.index(ARMS[0].label)]
    elsewhere = [f"`{name}`" for name in (RELEASED, PUBLISHED) if name in names]
    but = f" but {' and '.join(elsewhere)}" if elsewhere else ""
    published = (
        f" `{PUBLISHED}` is the network of the CollaGAN paper's authors with the losses of their paper. At their rate "
        "of 1e-5 its few steps are the beginning of a training (theirs had up to 1000 passes over 28,000 slices), so "
        "its rows say what can be had here, and nothing of the paper."
        if PUBLISHED in names
        else ""
    )
    protocol = PROTOCOL.rpartition(";")[0]
    sessions, people = len({row["session"] for row in table.scores}), len(table.people)
    return (
        f"**Networks.** All{but}: one training each by the same loop, the same steps of {first['batch']} crops of the "
        f"split train, seed {first['seed']} ({first['machine']}), with U-Nets of width {first['width']}. CollaGAN "
        "has an encoder of that width for each contrast, so it has more parameters; those of CycleGAN are of its "
        f"generators there and back, one back to each source. Each has the losses of its paper. From {_from(MAIN)}, "
        "pix2pix and CycleGAN take the stack of both as one image. StarGAN takes one contrast, as in its paper; "
        "`StarGAN, stacked` has a channel for each contrast, which its paper has not, and learned with as many of them "
        "left out as CollaGAN."
        f"{published} The weights are those of the check with the best validation (split val).\n\n"
        f"**Scores.** {protocol[0].upper()}{protocol[1:]}: the median of what lies {DEPTH_MM:g} mm and deeper in the "
        f"head is {MEDIAN:g}. Slices with {LEAST_PIXELS} pixels of brain or more, of "
        f"{sessions} sessions of {people} {_people(people)}, split **{facts['split']}**. Every slice is in "
        f"[{SCORES}]({SCORES}), lesions are in [{LESIONS}]({LESIONS}). Made by\n\n"
        f"    {facts['command']}\n\non {facts['made']}."
    )


def _from(question: Question) -> str:
    return "+".join(question[1])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _people(count: int) -> str:
    return "person" if count == 1 else "people"
