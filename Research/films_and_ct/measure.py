"""The released networks on chest films and CT slices, against fills without training, by three conventions.

``medinpaint experiment films-and-ct --data DATA`` writes ``docs/films-and-ct``: ``scores.csv``, a page with tables and
their reading, and figures. What is done is kept in ``cases``, so a run that was stopped goes on where it was.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.errors import InputError
from MedInpaintLib.manifest import read_manifest
from ..shared.cases import Case, Task, cases, fingerprint, folder_of, go_through, options
from ..shared.conventions import OURS, run_case
from ..shared.reduced import reduced
from ..shared.study import ACROSS

TASKS = (
    Task("film-squares", "Chest films, squares of 32 px", "film", True, "squares:32px:2"),
    Task("film-strips", "Chest films, strips of 16 px", "film", True, "strips:16px:1", (0, 1)),
    Task("ct-squares", "CT slices, squares of 32 px", "CT", True, "squares:32px:2", (0, 1)),
    Task("ct-strips", "CT slices, strips of 16 px", "CT", True, "strips:16px:1", (0, 1)),
)
#: Modality -> label -> method and model.
MODELS = {
    "film": {"unet": ("unet", "chest-film-unet")},
    "CT": {"unet": ("unet", "body-ct-unet")},
}
#: Fills without training.
WITHOUT = ("biharmonic", "harmonic", "telea", "patch")


def run(
    data: Path,
    out: Path,
    runs: Path,
    *,
    split: str = "test",
    tasks: Sequence[str] = (),
    match: str = "",
    workers: int = 2,
) -> list[Case]:
    """All cases. Those that are kept from before are not done again; see :func:`.latent_search.run`."""
    wanted = [task for task in TASKS if not tasks or task.name in tasks]
    found = []
    for modality, models in MODELS.items():
        own = [task for task in wanted if task.modality == modality]
        if not own:
            continue
        source = fingerprint(data, modality)
        keep = folder_of(out / "cases" / split, [name for _, name in models.values()], source)
        entries = [entry for entry in read_manifest(images_of(data, runs, modality), split) if match in entry.name]
        work = functools.partial(run_case, without=WITHOUT, models=models)
        found += go_through(cases(entries, own), work, keep, workers=workers)
    if not found:
        raise InputError("There are no such tasks or images: the page stays as it is.")
    return found


def images_of(data: Path, runs: Path, modality: str) -> Path:
    """The folder with the images as they are tested: films at the size at which the network sees them."""
    if modality != "film":
        return data
    return reduced(data, runs / f"{modality}-{ACROSS}-{fingerprint(data, modality)}", modality, ACROSS)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    from .assemble import assemble
    from .page import BASE, write_page
    from ..shared.pages import write_cards

    parser = options(__doc__ or "", out=Path("docs/films-and-ct"))
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for reduced images")
    parser.add_argument("--cards", action="store_true", help="write the scores into the models' cards, too")
    chosen = parser.parse_args(arguments)
    found = run(
        chosen.data,
        chosen.out,
        chosen.runs,
        split=chosen.split,
        tasks=chosen.task,
        match=chosen.match,
        workers=chosen.workers,
    )
    write_page(found, chosen.data, chosen.runs, chosen.out, chosen.split)
    assemble(chosen.out.parent / "experiments")
    for modality, models in MODELS.items() if chosen.cards else ():
        size = f"films at {ACROSS} pixels, R = 255" if modality == "film" else "R = 400 HU"
        protocol = f"masked, 2-D SSIM, {size}; medinpaint experiment films-and-ct"
        own = [task for task in TASKS if task.modality == modality]
        write_cards(found, models, own, OURS, base=BASE, split=chosen.split, protocol=protocol)
