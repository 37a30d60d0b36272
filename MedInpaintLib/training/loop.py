"""The one training loop: on a CPU, a GPU or several, with an exact resume."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import math
import os
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import lightning_fabric as fabric_package
import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..errors import Cancelled, InputError, MedInpaintError, ParameterError, is_out_of_memory
from ..files import as_json, replacing, write_text
from ..networks import build
from ..progress import Progress
from ..signals import before_the_end, forget, held_back
from .recipe import Recipe
from .tasks import Task, task_of

_PRECISIONS: dict[str, Any] = {"32": "32-true", "bf16": "bf16-mixed"}
LAST, BEST, HISTORY = "last.ckpt", "best.ckpt", "history.jsonl"


@dataclasses.dataclass(frozen=True)
class Hardware:
    """Where to train.

    Attributes:
        accelerator: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
        devices: number of processes, each with its own device; Fabric starts them by running the command again in each.
        precision: ``"32"``, or ``"bf16"`` on a GPU only: a CPU without its instructions is 14 times slower with it.
    """

    accelerator: str = "auto"
    devices: int = 1
    precision: str = "32"


@dataclasses.dataclass
class _State:
    """Content of a checkpoint, besides its recipe."""

    task: Task
    average: AveragedModel
    step: int = 0
    best: float = -math.inf
    seconds: float = 0.0

    def save(self, path: Path, recipe: Recipe) -> None:
        content = {
            "recipe": _identity(recipe),
            "network": self.task.network.state_dict(),
            "helpers": self.task.helpers.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": {name: each.state_dict() for name, each in self.task.optimizers.items()},
            "step": self.step,
            "best": self.best,
            "seconds": self.seconds,
        }
        with replacing(path) as temporary:
            torch.save(content, temporary)

    def load(self, path: Path, recipe: Recipe, device: torch.device) -> None:
        with _undamaged(path):
            content = torch.load(path, map_location=device, weights_only=True)
            if content["recipe"] != _identity(recipe):
                raise ParameterError(
                    f"The folder '{path.parent}' holds a training by another recipe; give another folder with --out, "
                    "or remove it."
                )
            self.task.network.load_state_dict(content["network"])
            self.task.helpers.load_state_dict(content.get("helpers", {}))
            self.average.load_state_dict(content["average"])
            for name, each in self.task.optimizers.items():
                each.load_state_dict(content["optimizers"][name])
            self.step, self.best, self.seconds = content["step"], content["best"], content["seconds"]


@dataclasses.dataclass(frozen=True)
class Trained:
    """Outcome of a training.

    Attributes:
        network: the averaged weights with the best validation, in eval mode, on the CPU.
        step: of that validation.
        psnr: masked, of the validation holes; dB at a range of 1.
        seconds: of training, checks included.
        leader: False in worker processes.
    """

    network: torch.nn.Module
    step: int
    psnr: float
    seconds: float
    leader: bool


class Samples(Protocol):
    """An endless order of samples, a function of the number alone."""

    def batch(self, numbers: range) -> tuple[np.ndarray, ...]:
        """Return samples, scaled intensities in float32 or bool, ``(n, channels, pixels, pixels)``."""
        ...


class Trial(Protocol):
    """Validation data from other subjects; tensors are in the network's scale.

    Attributes:
        images, known: inputs, as :meth:`.Task.fill` takes them.
        start, corrected: fills that the network should improve on.
        words: description of the trial.
        rows: of the picture, from its top.
    """

    @property
    def images(self) -> torch.Tensor: ...

    @property
    def known(self) -> torch.Tensor: ...

    @property
    def words(self) -> str: ...

    @property
    def rows(self) -> str: ...

    @property
    def start(self) -> torch.Tensor: ...

    @property
    def corrected(self) -> torch.Tensor: ...

    def to(self, device: torch.device) -> Trial:
        """Return the trial on another device."""
        ...

    def psnr(self, filled: torch.Tensor) -> float:
        """Return the PSNR in dB at a range of 1 of the network's scale; the mean over the images."""
        ...

    def scores(self, filled: torch.Tensor) -> dict[str, float]:
        """Return further scores by name; the means over the images."""
        ...

    def picture(self, filled: torch.Tensor) -> np.ndarray:
        """Return a picture ``(1, H, W)``, 0..1."""
        ...


def train(
    recipe: Recipe,
    samples: Samples,
    trial: Trial,
    out: str | os.PathLike[str],
    *,
    hardware: Hardware | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train a network, resuming from the last checkpoint if there is one.

    Random numbers depend only on the recipe's seed, the step and the process, so a resumed training takes the same
    steps as an uninterrupted one. Gradients are averaged over processes by hand, then clipped, so tasks with several
    optimizers need no wrapped modules.

    Args:
        recipe, samples: to train with.
        trial: to validate with, of other subjects.
        out: an existing folder for checkpoints, TensorBoard's files and the history.
        hardware: where to train.
        progress: reports and cancels; a cancelled training saves its state first.

    Raises:
        ParameterError: the folder holds a training by another recipe, or the hardware is missing.
    """
    progress = progress or Progress()
    hardware, schedule, out = hardware or Hardware(), recipe.schedule, Path(out)
    if schedule.batch % hardware.devices:
        raise ParameterError(f"A batch of {schedule.batch} cannot be shared by {hardware.devices} devices.")
    fabric = _fabric(hardware, out)
    before_the_end(fabric, lambda: _end_helpers(fabric))
    try:
        fabric.launch()
        return _train(fabric, recipe, samples, trial, out, progress)
    except BaseException:
        _end_helpers(fabric)
        raise
    finally:
        forget(fabric)


def _end_helpers(fabric: Any) -> None:
    """Kill the processes that Fabric has started beside this one: they would wait for it in the middle of a step."""
    for helper in getattr(fabric.strategy.launcher, "procs", ()):
        helper.kill()
        helper.wait()


def _train(fabric: Any, recipe: Recipe, samples: Samples, trial: Trial, out: Path, progress: Progress) -> Trained:
    schedule = recipe.schedule
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(schedule.seed)
        network = build(recipe.architecture, recipe.arguments).to(fabric.device)
        task = task_of(recipe.architecture, network, recipe.task)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(schedule.ema), use_buffers=True)
    state = _State(task, average)
    if (out / LAST).is_file():
        state.load(out / LAST, recipe, fabric.device)
    history = _History(out / HISTORY, state.step, fabric.global_rank == 0)
    trial = trial.to(fabric.device)
    fabric.barrier()
    started, steps_before = time.perf_counter() - state.seconds, state.step
    began = time.perf_counter()
    try:
        while state.step < schedule.steps:
            # A signal waits for the end of a step, so that the training can go on where it was.
            with held_back():
                log = _step(fabric, recipe, state, samples)
                state.step += 1
                state.seconds = time.perf_counter() - started
                rate = (state.step - steps_before) * schedule.batch / (time.perf_counter() - began)
                history.add({"step": state.step, "seconds": round(state.seconds, 2), **log})
                if state.step % schedule.check_every == 0 or state.step == schedule.steps:
                    _check(fabric, recipe, state, trial, history, out)
            progress.update(
                state.step / schedule.steps,
                f"Step {state.step} of {schedule.steps}, {rate:.0f} images/s, best {max(state.best, 0):.2f} dB",
            )
    except Cancelled:
        # Between two steps, so the steps since the last check are not lost.
        with held_back():
            if fabric.global_rank == 0:
                history.flush()
                state.save(out / LAST, recipe)
        raise Cancelled(f"Stopped after step {state.step}; the same command goes on from there.") from None
    return _best(recipe, out, leader=fabric.global_rank == 0)


def _fabric(hardware: Hardware, out: Path) -> Any:
    from lightning_fabric.loggers import TensorBoardLogger

    try:
        fabric = fabric_package.Fabric(
            accelerator=hardware.accelerator,
            devices=hardware.devices,
            strategy="ddp" if hardware.devices > 1 else "auto",
            precision=_PRECISIONS[hardware.precision],
            loggers=TensorBoardLogger(out, name="", version="tensorboard"),
        )
    except KeyError:
        raise ParameterError(f"The precision must be 32 or bf16; found '{hardware.precision}'.") from None
    except (ValueError, RuntimeError, fabric_package.utilities.exceptions.MisconfigurationException) as error:
        raise ParameterError(f"Training cannot run on this hardware: {error}") from None
    if hardware.precision != "32" and fabric.device.type != "cuda":
        raise ParameterError(
            f"Mixed precision is for GPUs with CUDA; train with precision 32 on '{fabric.device.type}'."
        )
    return fabric


def _step(fabric: Any, recipe: Recipe, state: _State, samples: Samples) -> dict[str, float]:
    """Update the weights once with each optimizer; return numbers for the log."""
    schedule, step = recipe.schedule, state.step
    share = schedule.batch // fabric.world_size
    first = step * schedule.batch + fabric.global_rank * share
    batch = [
        recipe.data.normalise(torch.from_numpy(each)).to(fabric.device)
        for each in samples.batch(range(first, first + share))
    ]
    noise = torch.Generator(fabric.device)
    noise.manual_seed(_seed(schedule.seed, step, fabric.global_rank))
    state.task.network.train()
    state.task.helpers.train()
    log: dict[str, float] = {}
    losses = state.task.losses(batch, step, noise)
    while True:
        # Not around the updates: autocast would keep half-precision copies of the old weights.
        with fabric.autocast():
            loss_of_optimizer = next(losses, None)
        if loss_of_optimizer is None:
            break
        name, loss, extra = loss_of_optimizer
        optimizer = state.task.optimizers[name]
        weights = [each for group in optimizer.param_groups for each in group["params"]]
        optimizer.zero_grad()
        # For these weights only: the generator's step must leave no gradients in the discriminator.
        fabric.backward(loss, inputs=weights)
        _share(fabric, weights)
        norm = torch.nn.utils.clip_grad_norm_(weights, schedule.clip, error_if_nonfinite=False)
        if not torch.isfinite(norm):
            raise ParameterError(f"The training diverged at step {step} ({name}); lower its learning rate.")
        optimizer.step()
        log |= {f"loss/{name}": loss.item(), f"gradient/{name}": norm.item()}
        log |= {key: value.item() for key, value in extra.items()}
    _share_statistics(fabric, state.task.network)
    state.average.update_parameters(state.task.network)
    return log


def _seed(*numbers: int) -> int:
    """Combine several numbers into one seed."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def _share(fabric: Any, weights: list[torch.nn.Parameter]) -> None:
    """Average the gradients over the processes, all in one message."""
    if fabric.world_size == 1:
        return
    gradients = [each.grad for each in weights if each.grad is not None]
    flat = fabric.all_reduce(torch.cat([each.flatten() for each in gradients]), reduce_op="mean")
    for gradient, shared in zip(gradients, flat.split([each.numel() for each in gradients]), strict=True):
        gradient.copy_(shared.view_as(gradient))


def _share_statistics(fabric: Any, network: torch.nn.Module) -> None:
    """Average the statistics of normalisation over the processes: frozen ones must be equal in all."""
    statistics = [each for each in network.buffers() if each.is_floating_point()]
    if fabric.world_size == 1 or not statistics:
        return
    flat = fabric.all_reduce(torch.cat([each.flatten() for each in statistics]), reduce_op="mean")
    for own, shared in zip(statistics, flat.split([each.numel() for each in statistics]), strict=True):
        own.copy_(shared.view_as(own))


def _check(fabric: Any, recipe: Recipe, state: _State, trial: Trial, history: _History, out: Path) -> None:
    """Validate the averaged weights and write checkpoints, numbers and pictures, in the first process only."""
    if fabric.global_rank == 0:
        network = frozen(state.average.module)
        filled = state.task.fill(network, trial.images, trial.known)
        psnr = trial.psnr(filled) + 20 * math.log10(1 / recipe.data.half_width)
        gains = {
            "gain": trial.psnr(filled) - trial.psnr(trial.start),
            "gain over what is corrected": trial.psnr(filled) - trial.psnr(trial.corrected),
        }
        scores = {"psnr": psnr, **gains, **trial.scores(filled)}
        scores |= {f"start/{name}": value for name, value in trial.scores(trial.start).items()}
        history.add({"step": state.step, **scores})
        fabric.log_dict({**history.latest, **scores}, step=state.step)
        fabric.logger.experiment.add_image(trial.rows, trial.picture(filled), state.step)
        # The history first: a resumed training drops its steps beyond the last checkpoint.
        history.flush()
        if psnr > state.best:
            state.best = psnr
            state.save(out / BEST, recipe)
        state.save(out / LAST, recipe)
    fabric.barrier()


def _best(recipe: Recipe, out: Path, *, leader: bool) -> Trained:
    network = build(recipe.architecture, recipe.arguments)
    average = AveragedModel(network, use_buffers=True)
    with _undamaged(out / BEST):
        content = torch.load(out / BEST, map_location="cpu", weights_only=True)
        average.load_state_dict(content["average"])
        step, psnr = content["step"], content["best"]
    with _undamaged(out / LAST):
        seconds = torch.load(out / LAST, map_location="cpu", weights_only=True)["seconds"]
    return Trained(frozen(average.module), step, psnr, seconds, leader)


@contextlib.contextmanager
def _undamaged(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while a checkpoint is read in this block into one line.

    Raises:
        InputError: the file is cut off, altered, or no checkpoint of this training.
    """
    try:
        yield
    except (
        RuntimeError,
        pickle.UnpicklingError,
        EOFError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        if isinstance(error, MedInpaintError) or is_out_of_memory(error):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise InputError(
            f"The checkpoint '{path}' is damaged ({reason}); remove it, or its folder, to train from the beginning."
        ) from None


def frozen(network: torch.nn.Module) -> torch.nn.Module:
    """Return a copy of a network in eval mode, without gradients."""
    return copy.deepcopy(network).eval().requires_grad_(False)


def _identity(recipe: Recipe) -> str:
    """Return what must be equal to resume a training: all but its length and its checks."""
    content = dataclasses.asdict(recipe)
    for name in ("steps", "check_every", "crops", "hole_mm", "holes"):
        del content["schedule"][name]
    del content["data"]["wanted"]
    for name in ("across", "inside"):  # so that trainings older than these options can be resumed
        if not content["data"][name]:
            del content["data"][name]
    return json.dumps(content, sort_keys=True, default=list)


def _step_of(line: str) -> float:
    """Return the step of a line; infinity for a line that a killed training left incomplete."""
    try:
        return float(json.loads(line)["step"])
    except ValueError:
        return math.inf


class _History:
    """A line of JSON per step; a resumed training drops the lines of steps that it repeats."""

    def __init__(self, path: Path, step: int, writes: bool) -> None:
        self._path, self._writes = path, writes
        self._lines: list[str] = []
        self.latest: dict[str, float] = {}
        if writes and path.is_file():
            kept = [line for line in path.read_text(encoding="utf-8").splitlines() if _step_of(line) <= step]
            write_text(path, "".join(f"{line}\n" for line in kept))

    def add(self, numbers: dict[str, Any]) -> None:
        self.latest = numbers if "psnr" not in numbers else self.latest
        self._lines.append(as_json(numbers))

    def flush(self) -> None:
        if self._writes:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in self._lines)
        self._lines.clear()
