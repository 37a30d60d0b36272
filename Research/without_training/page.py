"""The command and the page of the study `without-training`: tables, figures, and how the self-check did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.files import write_text

from ..shared.cases import Case, options, selected
from ..shared.facts import read_facts, write_facts
from ..shared.manifests import read_rows
from ..shared.pages import COLUMNS, draw, introduction
from ..shared.scores import SCORES, mean_seconds, read_cases, write_scores
from ..shared.tables import about, by_task, rows_of, score_table
from .measure import METRICS, TASKS, run
from .self_check import CHECKS, FIGURE, draw_promises, section, write_checks

BASE = "biharmonic"
#: A sphere of 20 mm is lateral from this distance to the midline on, mm.
LATERAL = 20.0
SHOWN = ("telea", "patch-regression", "patch", "hybrid")


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    chosen = options("without-training", out=Path("docs/fills")).parse_args(arguments)
    cases = run(chosen.data, chosen.out, **selected(chosen))
    write_page(cases, chosen.data, chosen.out, chosen.split)


def write_page(cases: Sequence[Case], data: Path, out: Path, split: str) -> None:
    """Write the tables, the facts, the figures and, from these, ``README.md``, beside the folder ``cases``."""
    write_scores(cases, ("off_midline_mm", *METRICS), out / SCORES)
    write_checks(cases, out / CHECKS)
    pictures = {}
    for task, own in by_task(cases, TASKS):
        shown = {method: {"method": method} for method in (*SHOWN, *(["mirror"] if task.modality == "MR" else []))}
        draw(own[0], task, shown, BASE, data, split, out / f"{task.name}.webp")
        pictures[task.name] = own[0]["image"]
    draw_promises(read_rows(out / CHECKS), out / FIGURE)
    write_facts(out, split=split, seconds=mean_seconds(cases), pictures=pictures)
    write_text(out / "README.md", text(out))


def text(folder: Path) -> str:
    """Return the page that the tables and the facts in a folder make."""
    cases, facts = read_cases(folder), read_facts(folder)
    parts = [
        introduction(
            "without-training",
            "Fills that need no training",
            cases,
            facts,
            models="None of these methods is trained; constants were chosen on the splits train and val.",
            scores="Scores are over the hole (convention `masked`): PSNR with a fixed range R (99.5 percentile of the "
            "known foreground; 400 HU for CT; 255 for films), SSIM in 3-D for volumes, "
            f"{COLUMNS.format(BASE)} `shell-mean` is the trivial fill. Every number is in [{SCORES}]({SCORES}).",
        )
    ]
    for task, own in by_task(cases, TASKS):
        parts.append(f"## {task.title}\n\n{about(task, own)}\n\n{score_table(own, BASE)}")
        if task.name == "mr-20mm":
            parts += _lateral(own)
        picture = facts["pictures"][task.name]
        parts.append(f"![{task.title}]({task.name}.webp)\n\n*{picture}, the first of the list.*")
    parts.append(section(cases, read_rows(folder / CHECKS), TASKS))
    return "\n\n".join(parts) + "\n"


def _lateral(own: Sequence[Case]) -> list[str]:
    """Return a table of the spheres far from the midline, or nothing where there are none."""
    rows = rows_of(own)
    lateral = {key for key, row in rows[BASE].items() if (row["off_midline_mm"] or 0) >= LATERAL}
    if not lateral:
        return []
    return [
        f"### Lateral ones: {LATERAL:g} mm or more from the midline",
        f"{len(lateral)} of {len(rows[BASE])} spheres. The midline is the one that the engine finds.",
        score_table(own, BASE, lateral),
    ]
