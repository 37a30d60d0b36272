"""``medinpaint demo``: the main job on the sample brain, with a figure and a scored table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..methods import registry
from .console import HowToShow, ProgressStyle, follow


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results; made when missing.")] = Path(
        "demo-output"
    ),
    progress: HowToShow = ProgressStyle.auto,
) -> None:
    """Fill two 20 mm holes in the sample brain scan; write the volume, a figure, and scores of the quick methods."""

    def work(emit):  # type: ignore[no-untyped-def]
        from ..evaluation import evaluate, save_figure
        from ..files import make_folder, write_text
        from ..job import execute
        from ..jobs.fill import FillJob
        from ..mask import find_hole
        from ..mask_values import ALL
        from ..samples import sample
        from ..volume import Volume

        make_folder(output)
        brain = sample("brain-t1")
        filled = output / "filled.nrrd"
        job = FillJob(
            job="fill",
            image=str(brain.image),
            mask=str(brain.mask),
            labels=[ALL],
            output=str(filled),
            report=str(output / "report.json"),
        )
        chosen = []

        def listen(event):  # type: ignore[no-untyped-def]
            if event["event"] == "result":
                chosen.append(event["report"]["method"])
            emit(event)

        execute(job, listen)
        table = evaluate(
            brain.image,
            holes=brain.mask,
            methods=[name for name, info in registry.methods().items() if _is_quick(info)],
            name=f"{brain.name} ({brain.subject})",
            split=brain.split,
        )
        table.to_csv(output / "scores.csv")
        write_text(output / "scores.txt", table.to_text() + "\n")
        image = Volume.read(brain.image)
        hole, _ = find_hole(Volume.read(brain.mask), image, labels=[ALL])
        save_figure(
            output / "figure.png",
            image,
            hole.full(),
            Volume.read(filled).array,
            method=chosen[0],
            scores=table.mean_scores(chosen[0]) if "," not in chosen[0] else None,  # the table has no mixture
        )
        files = "filled.nrrd, figure.png, scores.csv, scores.txt, report.json"
        emit({"event": "table", "text": f"\n{table.to_text()}\n\nIn {output}: {files}"})

    follow(work, progress)


def _is_quick(info: registry.MethodInfo) -> bool:
    """Return whether a method needs no other packages, scans or trained model: the demo takes seconds."""
    return not (info.missing() or info.needs_exemplars or info.needs_model)
