"""A package outside the engine brings an architecture and its task."""

from __future__ import annotations

import dataclasses
import sys
import types

import pytest

from MedInpaintLib import networks
from MedInpaintLib.errors import ParameterError
from MedInpaintLib.models.bundle import load_into, read_bundle
from MedInpaintLib.networks.vae import Vae
from MedInpaintLib.training import tasks
from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.training.run import run
from MedInpaintLib.training.tasks.vae import VaeTask


class Net(Vae):
    """A network of another name."""


@dataclasses.dataclass
class NetTask(VaeTask):
    """A task with an option of its own."""

    patience: float = 1.0


@pytest.fixture
def study(monkeypatch):
    """A package that has registered ``a-net``."""
    module = types.ModuleType("a_study")
    module.Net, module.NetTask = Net, NetTask
    monkeypatch.setitem(sys.modules, "a_study", module)
    monkeypatch.setattr(networks, "ARCHITECTURES", dict(networks.ARCHITECTURES))
    monkeypatch.setattr(tasks, "TASKS", dict(tasks.TASKS))
    networks.register("a-net", "a_study:Net", networks.GENERATES)
    tasks.register("a-net", "a_study:NetTask")


def test_a_registered_network_is_trained_by_its_task_and_read_from_its_bundle(study, data, recipe, tmp_path):
    path = recipe("vae", extra="[task]\npatience = 2\n")
    path.write_text(path.read_text(encoding="utf-8").replace('"vae"', '"a-net"'), encoding="utf-8")
    bundle = read_bundle(run(read_recipe(path), data, tmp_path / "out", accelerator="cpu").folder)
    bundle.check_architecture("a-net")
    assert isinstance(load_into(networks.build(bundle.architecture, bundle.arguments), bundle), Net)


def test_a_name_belongs_to_one_class(study):
    networks.register("a-net", "a_study:Net", networks.GENERATES)  # again: nothing changes
    with pytest.raises(ParameterError, match="'a-net' is 'a_study:Net' and cannot be 'b:Net', too"):
        networks.register("a-net", "b:Net", networks.GENERATES)
    with pytest.raises(ParameterError, match=r"'vae' learns by .*VaeTask' and cannot learn by 'b:Task', too"):
        tasks.register("vae", "b:Task")
