"""The command and the page of the study `gpu`."""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.files import make_folder, write_text

from .. import STUDIES
from ..shared.facts import FACTS, read_facts, write_facts
from ..shared.manifests import read_rows, write_rows

PAGE, FILLS = "README.md", "fills.csv.gz"
COLUMNS = (
    "model",
    "voxels",
    "largest",
    "rms",
    "seconds",
    "seconds_against",
    "megabytes",
    "ran_on",
)
_HEAD = (
    "# Networks on a GPU\n\nEvery released model fills a sample image on a GPU and on the CPU, and one recipe is "
    "trained for some steps on both."
)
_COMMAND = "    make gpu\n\n(or `python -m Research gpu`)"


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        ParameterError: the training has no step.
        InputError: this machine has no such device.
    """
    # PyTorch, which these import, is not needed to write the page.
    from .measure import STEPS, released, require, warm_up

    parser = argparse.ArgumentParser(prog="python -m Research gpu", description=STUDIES["gpu"][0])
    parser.add_argument("--device", default="cuda", help="that is compared")
    parser.add_argument("--against", default="cpu", help="device that it is compared with")
    parser.add_argument("--steps", type=int, default=STEPS, help="of the training")
    parser.add_argument("--out", type=Path, default=Path("docs/gpu"), help="folder for the page")
    chosen = parser.parse_args(arguments)
    if chosen.steps < 1:
        raise ParameterError(f"A training takes 1 step or more; found --steps {chosen.steps}.")
    for device in (chosen.device, chosen.against):
        require(device)
        warm_up(device)
    rows = []
    for bundle in released():
        rows.append(compare(bundle, chosen.device, chosen.against))
        print(*(f"{name} {value}" for name, value in zip(COLUMNS, rows[-1], strict=True)), sep=", ", flush=True)
    facts = trainings(chosen.device, chosen.against, chosen.steps)
    make_folder(chosen.out)
    write_rows(chosen.out / FILLS, [COLUMNS, *rows])
    write_facts(chosen.out, **facts)
    write_text(chosen.out / PAGE, text(chosen.out))
    print(chosen.out / PAGE)


def compare(bundle: Any, device: str, against: str) -> list[str]:
    """Return the row of a model in the table.

    Args:
        bundle: of the model.
        device, against: where it fills.
    """
    import numpy as np

    from .measure import fill

    one, other = fill(bundle, device), fill(bundle, against)
    difference = one.values - other.values
    largest, rms = float(np.abs(difference).max()), float(np.sqrt(np.mean(difference**2)))
    memory = "" if one.megabytes is None else f"{one.megabytes:.0f}"
    return [
        bundle.name,
        str(difference.size),
        f"{largest:.2g}",
        f"{rms:.2g}",
        f"{one.seconds:.2f}",
        f"{other.seconds:.2f}",
        memory,
        one.ran_on,
    ]


def trainings(device: str, against: str, steps: int) -> dict[str, Any]:
    """Train on both devices, and return the facts of the page."""
    import torch

    from .measure import RECIPE, train

    with tempfile.TemporaryDirectory() as folder:
        trained = {name: train(name, Path(folder) / name.replace(":", "-"), steps) for name in (device, against)}
    gpu = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    return {
        "device": device,
        "against": against,
        "gpu": gpu,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "recipe": RECIPE,
        "steps": steps,
        "trained": {name: dataclasses.asdict(each) for name, each in trained.items()},
    }


def text(folder: Path) -> str:
    """Return the page that the table and the facts in a folder make; without them, that nothing was measured."""
    if not (folder / FACTS).is_file():
        return (
            f"{_HEAD}\n\n**Not run yet**: no machine with a CUDA device was there. On one, this takes some minutes, "
            f"needs no data but the samples, and writes this page:\n\n{_COMMAND}\n"
        )
    facts, rows = read_facts(folder), read_rows(folder / FILLS)
    device, against = facts["device"], facts["against"]
    lines = [
        f"| model | voxels | largest difference | RMS | s on {device} | s on {against} | MB on {device} |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        # Where the memory of the device was too small, the CPU did it.
        where = "" if row["ran_on"] == device else f" (ran on {row['ran_on']})"
        lines.append(
            f"| `{row['model']}`{where} | {row['voxels']} | {row['largest']} | {row['rms']} | {row['seconds']} | "
            f"{row['seconds_against']} | {row['megabytes']} |"
        )
    parts = [
        _HEAD,
        "## Fills",
        "\n".join(lines),
        "Differences are between the two devices, in the hole, as shares of the range R of the image; for an estimated "
        "contrast, of all voxels and of the median in the head, rounded to 1/1000 of it. Sums are taken in another "
        "order on another device, and a latent search takes small differences further with each step. Seconds are of "
        "the whole call, with all that a fill needs on the CPU.",
        "## Training",
        f"`{facts['recipe']}`, {facts['steps']} steps on the sample brain, which also validates: the time counts, not "
        "how good the network is.",
        _trained(facts),
        f"{facts['gpu']}, PyTorch {facts['torch']}; the CPU with {facts['threads']} threads. Made by\n\n{_COMMAND}\n\n"
        f"on {facts['made']}.",
    ]
    return "\n\n".join(parts) + "\n"


def _trained(facts: dict[str, Any]) -> str:
    lines = ["| device | s | steps a second | MB | validation, PSNR dB |", "|---|---:|---:|---:|---:|"]
    for device, each in facts["trained"].items():
        memory = "" if each["megabytes"] is None else f"{each['megabytes']:.0f}"
        rate = facts["steps"] / each["seconds"]
        lines.append(f"| {device} | {each['seconds']:.1f} | {rate:.1f} | {memory} | {each['psnr']:.2f} |")
    return "\n".join(lines)
