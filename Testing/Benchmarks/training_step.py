"""One training step of a recipe on one CPU core: weights, seconds and memory, with a few frames of noise.

Seconds are those of the processor, so that what else the machine does does not count. They grow with the number of
frames, as does the memory beyond what was there before the step; so a batch is scaled from two frames.

    python Testing/Benchmarks/training_step.py chest-film-rfr-published
"""

from __future__ import annotations

import argparse
import resource
import time

import torch

from MedInpaintLib.networks import build
from MedInpaintLib.training.recipe import Recipe, read_recipe
from MedInpaintLib.training.tasks import Task, task_of

#: A released model with an encoder, so that the features' own model need not be trained to know what a step takes.
ENCODER = "brain-mr-vae-3"


def noise(recipe: Recipe, frames: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return frames, known pixels (a square of 1/8 of the side is missing) and truth."""
    side, hole = recipe.pixels, recipe.pixels // 8
    truth = torch.rand(frames, 1, side, side) * 2 - 1
    known = torch.ones(frames, recipe.slices, side, side, dtype=torch.bool)
    known[..., side // 2 : side // 2 + hole, side // 2 : side // 2 + hole] = False
    return truth * known, known, truth


def step(task: Task, batch: tuple[torch.Tensor, ...]) -> float:
    """Update the weights once; return the seconds of CPU time that it took."""
    start = time.process_time()
    for name, loss, _ in task.losses(batch, 0, torch.Generator()):
        task.optimizers[name].zero_grad()
        loss.backward()
        task.optimizers[name].step()
    return time.process_time() - start


def gigabytes() -> float:
    """Return the most memory that this process has had, GB; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", help="name of a recipe whose network is given nothing in the hole")
    parser.add_argument("--frames", type=int, default=2, help="frames in the step, 2 or more (default: 2)")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    recipe = read_recipe(chosen.recipe)
    network = build(recipe.architecture, recipe.arguments).train()
    task = task_of(recipe.architecture, network, {**recipe.task, "features": ENCODER})
    weights = sum(each.numel() for each in network.parameters())
    print(f"{recipe.name}: {weights:,} weights, {recipe.pixels} x {recipe.pixels} pixels, {chosen.frames} frames")
    before = gigabytes()
    batch = noise(recipe, chosen.frames)
    seconds = step(task, batch)
    print(f"{seconds:.1f} s on one core, {gigabytes():.1f} GB at most, {before:.1f} GB of them before the step")


if __name__ == "__main__":
    main()
