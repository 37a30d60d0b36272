"""The task of 3-D networks against its formula, written out in numpy."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from MedInpaintLib.errors import ParameterError  # noqa: E402
from MedInpaintLib.networks import build  # noqa: E402
from MedInpaintLib.training.tasks import task_of  # noqa: E402
from MedInpaintLib.training.tasks.refining import LEAST  # noqa: E402


class Given(torch.nn.Module):
    """Returns what it was given as its output, whatever it sees."""

    def __init__(self, output):
        super().__init__()
        self.output = torch.nn.Parameter(output)

    def forward(self, images, maps):
        return self.output


def batch(count=2, side=8):
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (count, 6, side, side, side)).astype(np.float32)
    truth = rng.uniform(-1, 1, (count, 1, side, side, side)).astype(np.float32)
    wanted = np.zeros(truth.shape, dtype=bool)
    wanted[:, :, 2:6, 3:6, 2:7] = True
    return images, np.zeros((count, 12, side, side, side), dtype=np.int8), truth, wanted


def losses(task, arrays, step=0):
    tensors = [torch.from_numpy(each) for each in arrays]
    ((_, total, parts),) = task.losses(tensors, step, torch.Generator())
    return total, parts


def test_the_loss_is_the_formula():
    images, maps, truth, wanted = batch()
    mean = np.random.default_rng(1).uniform(-1, 1, truth.shape).astype(np.float32)
    log_variance = np.random.default_rng(2).uniform(-2, 0, truth.shape).astype(np.float32)
    network = Given(torch.from_numpy(np.concatenate([mean, log_variance], axis=1)))
    total, parts = losses(
        task_of("unet-3d", network, {"gradient": 0.3, "likelihood": 0.5}), (images, maps, truth, wanted)
    )
    values, gradients = [], []
    for at in range(2):
        now, then, where = mean[at, 0] - truth[at, 0], images[at, 0] - truth[at, 0], wanted[at, 0]
        values.append((now[where] ** 2).sum() / (then[where] ** 2).sum())
        sums = np.zeros(2)
        for axis in range(3):
            near = np.diff(where.astype(int), axis=axis) != 0
            both = np.take(where, range(where.shape[axis] - 1), axis=axis)
            touching = near | both
            sums += [(np.diff(each, axis=axis)[touching] ** 2).sum() for each in (now, then)]
        gradients.append(sums[0] / sums[1])
    error, log = (mean - truth)[wanted], log_variance[wanted]
    likelihood = (0.5 * log + 0.5 * error**2 * np.exp(-log)).mean()
    assert parts["part/value"].item() == pytest.approx(np.mean(values), rel=1e-4)
    assert parts["part/gradient"].item() == pytest.approx(np.mean(gradients), rel=1e-4)
    assert parts["part/likelihood"].item() == pytest.approx(likelihood, rel=1e-4)
    expected = np.mean(values) + 0.3 * np.mean(gradients) + 0.5 * likelihood
    assert total.item() == pytest.approx(expected, rel=1e-4)


def test_the_fill_that_is_corrected_costs_1_and_what_is_known_nothing():
    images, maps, truth, wanted = batch()
    base = torch.from_numpy(images[:, :1])
    network = Given(torch.cat([base, torch.zeros_like(base)], dim=1))
    _, parts = losses(task_of("unet-3d", network, {}), (images, maps, truth, wanted))
    assert parts["part/value"].item() == pytest.approx(1.0)
    assert parts["part/gradient"].item() == pytest.approx(1.0)
    changed = torch.where(torch.from_numpy(wanted), base, base + 5.0)
    network = Given(torch.cat([changed, torch.zeros_like(base)], dim=1))
    assert losses(task_of("unet-3d", network, {}), (images, maps, truth, wanted))[1][
        "part/value"
    ].item() == pytest.approx(1)


def test_a_part_that_was_nearly_right_does_not_outweigh_the_others():
    images, maps, truth, wanted = batch()
    images[:, 0] = truth[:, 0] + 1e-3
    output = np.concatenate([truth + 0.05, np.zeros_like(truth)], axis=1)
    _, parts = losses(task_of("unet-3d", Given(torch.from_numpy(output)), {}), (images, maps, truth, wanted))
    assert parts["part/value"].item() == pytest.approx(0.05**2 / LEAST, rel=1e-3)


def test_the_likelihood_moves_the_variance_alone():
    images, maps, truth, wanted = batch()
    network = Given(torch.zeros(2, 2, 8, 8, 8))
    total, _ = losses(task_of("unet-3d", network, {"gradient": 0.0, "likelihood": 1.0}), (images, maps, truth, wanted))
    total.backward()
    with_likelihood = network.output.grad.clone()
    network.output.grad = None
    losses(task_of("unet-3d", network, {"gradient": 0.0, "likelihood": 0.0}), (images, maps, truth, wanted))[
        0
    ].backward()
    torch.testing.assert_close(with_likelihood[:, 0], network.output.grad[:, 0])
    assert with_likelihood[:, 1].any()
    assert not network.output.grad[:, 1].any()


def test_the_step_size_rises_and_falls_to_0():
    network = build("unet-3d", {"pixels": 8, "width": 4})
    task = task_of("unet-3d", network, {"rate": 0.01, "warm_up": 10, "steps": 110})
    rates = []
    for step in (0, 9, 60, 110):
        losses(task, batch(), step)
        rates.append(task.optimizers["network"].param_groups[0]["lr"])
    assert rates == pytest.approx([0.001, 0.01, 0.005, 0.0], abs=1e-9)


def test_steps_of_a_few_lessen_the_loss():
    torch.manual_seed(0)
    task = task_of("unet-3d", build("unet-3d", {"pixels": 8, "width": 8}), {"rate": 0.003, "warm_up": 1})
    arrays = batch()
    first = None
    for step in range(25):
        total, _ = losses(task, arrays, step)
        first = total.item() if first is None else first
        task.optimizers["network"].zero_grad()
        total.backward()
        task.optimizers["network"].step()
    assert total.item() < 0.9 * first


def test_a_rate_of_0_is_refused():
    with pytest.raises(ParameterError, match="rate = 0"):
        task_of("unet-3d", build("unet-3d", {"pixels": 8, "width": 4}), {"rate": 0.0})
