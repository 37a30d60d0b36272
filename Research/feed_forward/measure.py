"""Networks that fill in one pass, against the best fills without training.

``python -m MedInpaintLib.evaluation.experiments.feed_forward --data ../shared/data --out docs/feed-forward`` writes
``scores.csv``, a page ``README.md`` with tables and their reading, and a figure. What is done is kept in ``cases``, so
a run that was stopped goes on where it was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.errors import MaskError
from MedInpaintLib.frames import pose
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.metrics import slice_jump
from MedInpaintLib.evaluation.protocol import evaluate
from ..shared.cases import Case, Task, cases, folder_of, go_through, options

#: The contrasts that the released models have learned.
CONTRASTS = ("T1", "T2", "FLAIR")
MAIN = "mr-20mm"
TASKS = (
    Task("mr-10mm", "4 spheres of 10 mm", "MR", False, "spheres:10mm:4", contrasts=CONTRASTS),
    Task(MAIN, "A sphere of 20 mm", "MR", False, "spheres:20mm:1", (0, 1, 2, 3), contrasts=CONTRASTS),
    Task("mr-40mm", "A sphere of 40 mm", "MR", False, "spheres:40mm:1", contrasts=CONTRASTS),
    Task("mr-lesions", "3 lesions of 15 mm", "MR", False, "lesions:15mm:3", contrasts=CONTRASTS),
    Task("mr-strips", "Strips of 16 px on 10 slices", "MR", False, "strips:16px:1:slab=10px", contrasts=CONTRASTS),
)
#: Label -> method and model.
MODELS = {
    "unet": ("unet", "brain-mr-unet"),
    "pconv": ("pconv", "brain-mr-pconv"),
    "rfr": ("rfr", "brain-mr-rfr"),
}
#: Fills without training; the best of them is to be beaten.
WITHOUT = ("biharmonic", "patch-regression", "patch", "mirror")
#: What is changed, on one task, in the first model's fill: parameters and options of the engine.
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "not mirrored": ({"mirrored": False}, {}),
    "3 directions": ({"directions": 3}, {}),
    "Poisson blending": ({}, {"blend": "poisson"}),
}
CHANGED = "unet"
METRICS = ("psnr", "ssim", "rmse", "gradient_energy", "boundary_jump", "slice_jump")


def variants(task: Task) -> dict[str, dict[str, Any]]:
    """Label -> options of the engine: every model, and on one task every change."""
    found: dict[str, dict[str, Any]] = {}
    for label, (method, model) in MODELS.items():
        found[label] = {"method": method, "parameters": {"model": model}}
        if task.name == MAIN and label == CHANGED:
            for change, (parameters, others) in CHANGES.items():
                found[f"{label}, {change}"] = {
                    "method": method,
                    "parameters": {"model": model, **parameters},
                    **others,
                }
    return found


def run_case(task: Task, entry: Entry, seed: int) -> Case | None:
    """Scores of one image with one set of holes; None where the holes do not fit."""
    methods: list[Any] = [*WITHOUT, *variants(task).items()]
    image = task.load(entry)
    try:
        table = evaluate(image, task.holes, methods, seed=seed, modality="MR", name=entry.name, keep_fills=True)
    except MaskError:
        return None
    across = pose(image, "axial").order[0]
    jumps = {
        (method, row.hole): slice_jump(
            table.fills[method], image.array, table.labels == row.hole, spacing=image.spacing, axis=across
        )
        for method in table.fills
        for row in table.rows
        if row.method == method
    }
    return {
        "task": task.name,
        "image": entry.name,
        "subject": entry.subject,
        "seed": seed,
        "range": table.constants["R"],
        "scores": [
            {
                "method": row.method,
                "hole": row.hole,
                **{metric: row.scores[metric] for metric in METRICS if metric in row.scores},
                "slice_jump": _plain(jumps.get((row.method, row.hole), math.nan)),
            }
            for row in table.rows
        ],
        "seconds": table.seconds,
    }


def _plain(value: float) -> float | None:
    """JSON knows no NaN."""
    return value if math.isfinite(value) else None


def run(
    data: Path, out: Path, *, split: str = "test", tasks: Sequence[str] = (), match: str = "", workers: int = 2
) -> list[Case]:
    """All cases. Those that are kept from before are not done again; see :func:`.latent_search.run`."""
    keep = folder_of(out / "cases" / split, [name for _, name in MODELS.values()])
    entries = [entry for entry in read_manifest(data, split) if match in entry.name]
    wanted = [task for task in TASKS if not tasks or task.name in tasks]
    return go_through(cases(entries, wanted), run_case, keep, workers=workers)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    from .assemble import assemble
    from .page import BASE, write_page
    from ..shared.pages import MASKED_3D, write_cards

    parser = options(__doc__ or "", out=Path("docs/feed-forward"))
    parser.add_argument("--cards", action="store_true", help="write the scores into the models' cards, too")
    chosen = parser.parse_args(arguments)
    found = run(
        chosen.data, chosen.out, split=chosen.split, tasks=chosen.task, match=chosen.match, workers=chosen.workers
    )
    write_page(found, chosen.data, chosen.out, chosen.split)
    assemble(chosen.out.parent / "experiments")
    if chosen.cards:
        protocol = f"{MASKED_3D}; MedInpaintLib.evaluation.experiments.feed_forward"
        metrics = ("psnr", "ssim", "rmse", "gradient_energy")
        write_cards(found, MODELS, TASKS, metrics, base=BASE, split=chosen.split, protocol=protocol)


if __name__ == "__main__":
    main()
