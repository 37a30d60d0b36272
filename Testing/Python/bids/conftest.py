"""What the tests of the BIDS app share: a small dataset, made file by file."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib.cli.app import app
from Testing.Python.studies import Here

AFFINE = {"spacing": (2.0, 2.0, 2.0), "origin": (-15.0, -15.0, -15.0)}


class Tree:
    """A BIDS dataset of small images in a folder."""

    def __init__(self, folder):
        self.folder = folder / "study"
        self.out = self.folder / "derivatives" / "medinpaint"
        self.json("dataset_description.json", {"Name": "Tree", "BIDSVersion": "1.11.1"})

    def image(self, path, seed=0, **grid):
        """Write an image of smooth tissue in front of nothing, so that contrasts agree in their anatomy."""
        self._write(path, anatomy(seed), grid)

    def mask(self, path, box=(slice(6, 9), slice(5, 8), slice(6, 9)), **grid):
        array = np.zeros((16, 16, 16), np.uint8)
        if box is not None:
            array[box] = 1
        self._write(path, array, grid)

    def _write(self, path, array, grid):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        mi.Volume(array, **{**AFFINE, **grid}).write(path)

    def json(self, path, content):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))

    def run(self, *arguments, level="participant", options=("--method", "shell-mean", "--no-uncertainty")):
        line = ["bids", self.folder, self.out, level, *options, *arguments]
        return CliRunner().invoke(app, [str(each) for each in (*line, "--workers", 1, "--jobs", 1)])

    def table(self, name="summary.tsv"):
        with (self.out / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))

    def read(self, path):
        return json.loads((self.out / path).read_text())


def anatomy(seed):
    """Return a ball of tissue with structure that is the same for each seed, in another contrast."""
    k, j, i = np.indices((16, 16, 16)) - 7.5
    inside = k**2 + j**2 + 1.3 * i**2 < 42
    structure = np.random.default_rng(5).normal(0, 40, (16, 16, 16)) + 20 * k + 15 * j - 10 * i
    return np.where(inside, 500 + (-1) ** seed * structure, 0).astype(np.int16)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


@pytest.fixture
def in_this_process(monkeypatch):
    """Spare the command its worker processes, whose start takes longer than such images."""
    monkeypatch.setattr("MedInpaintLib.cohort.local.LocalProcesses", lambda jobs, threads: Here())
