"""Without PyTorch and safetensors: all that does not need them works, and what does says so in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.methods import registry

#: In the process that runs this, the packages are not installed: no finder of modules or of metadata knows of them.
HIDE = """
    import sys

    class Blind:
        def __init__(self, finder):
            self.finder = finder

        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in ("torch", "safetensors"):
                return None
            return self.finder.find_spec(name, path, target)

        def find_distributions(self, context):
            if context.name in ("torch", "safetensors"):
                return iter(())
            find = getattr(self.finder, "find_distributions", None)
            return find(context) if find else iter(())

    sys.meta_path[:] = [Blind(finder) for finder in sys.meta_path]
"""
WITHOUT = [name for name, info in registry.methods().items() if "torch" not in info.requires]
LEARNED = [name for name, info in registry.methods().items() if "torch" in info.requires]


def run(code, *arguments, environment=None):
    """What a Python without the packages prints as JSON in its last line."""
    script = textwrap.dedent(HIDE) + textwrap.dedent(code)
    process = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **(environment or {})},
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def test_the_packages_are_really_hidden():
    found = run("""
        import importlib.metadata, importlib.util, json
        absent = [importlib.util.find_spec(name) is None for name in ("torch", "safetensors")]
        for name in ("torch", "safetensors"):
            try:
                importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                absent.append(True)
        print(json.dumps([*absent, importlib.util.find_spec("numpy") is not None]))
    """)
    assert found == [True] * 5


def test_methods_and_models_are_listed_and_the_learned_ones_say_what_they_miss():
    found = run("""
        import json
        import MedInpaintLib as mi
        missing = {name: info.missing() for name, info in mi.list_methods().items()}
        print(json.dumps([missing, {name: bundle.architecture for name, bundle in mi.list_models().items()}]))
    """)
    missing, models = found
    assert {name for name, packages in missing.items() if "torch" in packages} == set(LEARNED)
    assert all(missing[name] == ["torch", "safetensors"] for name in LEARNED)
    assert models == {name: bundle.architecture for name, bundle in mi.list_models().items()}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A textured volume, two others of its kind, and a hole."""
    folder = tmp_path_factory.mktemp("scene")
    (folder / "others").mkdir()
    rng = np.random.default_rng(0)
    for name in ("image", "others/a", "others/b"):
        texture = rng.normal(500, 50, (20, 24, 24)) + 4 * np.indices((20, 24, 24)).sum(axis=0)
        mi.Volume(texture.astype(np.int16), (1.0,) * 3).write(folder / f"{name}.nrrd")
    hole = np.zeros((20, 24, 24), np.uint8)
    hole[8:11, 10:13, 10:13] = 1
    mi.Volume(hole, (1.0,) * 3).write(folder / "mask.nrrd")
    return folder


FILL = """
    import json
    from pathlib import Path

    import numpy as np

    import MedInpaintLib as mi
    from MedInpaintLib.errors import in_one_line

    folder, outcomes = Path(sys.argv[1]), {}
    for name in sys.argv[2:]:
        exemplars = folder / "others" if name == "exemplar" else None
        try:
            result = mi.inpaint(
                folder / "image.nrrd", folder / "mask.nrrd", method=name, modality="MR", exemplars=exemplars
            )
        except Exception as error:
            outcomes[name] = in_one_line(error)
        else:
            hole = result.mask.array > 0
            outcomes[name] = bool(np.isfinite(result.volume.array[hole]).all() and result.volume.array[hole].all())
    assert "torch" not in sys.modules
    print(json.dumps(outcomes))
"""


def test_every_method_that_does_not_need_them_fills(scene):
    assert set(WITHOUT) >= {"harmonic", "biharmonic", "patch", "mirror", "hybrid", "exemplar"}
    there = [name for name in WITHOUT if not registry.get(name).missing()]
    assert run(FILL, scene, "auto", *there) == dict.fromkeys(["auto", *there], True)


def test_those_that_need_them_say_what_to_install(scene):
    for name, outcome in run(FILL, scene, *(name for name in LEARNED if name != "collagan")).items():
        assert "torch" in outcome, name
        assert "install" in outcome, name
        assert "unexpected" not in outcome, name


def test_a_contrast_cannot_be_estimated_and_it_is_said_what_to_install():
    said = run("""
        import json
        import numpy as np
        import MedInpaintLib as mi
        head = mi.Volume(np.full((9, 40, 40), 100, np.int16), (4.0,) * 3)
        try:
            mi.impute({"T1": head}, "T2", device="cuda")
        except mi.MedInpaintError as error:
            print(json.dumps(str(error)))
    """)
    assert "pip install torch safetensors" in said


def test_a_self_check_tries_what_there_is():
    found = run("""
        import json
        import numpy as np
        import MedInpaintLib as mi
        rows, columns = np.indices((96, 96))
        film = (100 + rows + 20 * np.sin(columns / 5)).astype(np.uint8)
        hole = np.zeros(film.shape, bool)
        hole[40:50, 40:50] = True
        report = mi.inpaint(film, hole, modality="film", self_check=True).report
        (checked,) = report["self_check"]
        print(json.dumps([sorted(checked["methods"]), checked["left_out"]]))
    """)
    assert "biharmonic" in found[0]
    assert not set(LEARNED) & {*found[0], *found[1]}


def test_the_jobs_of_the_panel_work(scene, tmp_path):
    fields = {"image": str(scene / "image.nrrd"), "seed": 0}
    jobs = {
        "fill": {"mask": str(scene / "mask.nrrd"), "output": str(tmp_path / "filled.nrrd")},
        "evaluate": {"holes": ["spheres:5mm:2"], "methods": ["harmonic", "unet"], "output": str(tmp_path / "s.csv")},
    }
    for kind, more in jobs.items():
        (tmp_path / f"{kind}.json").write_text(json.dumps({"job": kind, **fields, **more}))
        last = run("from MedInpaintLib.job import main; sys.exit(main(sys.argv[1:]))", tmp_path / f"{kind}.json")
        assert last["event"] == "result", last
        assert Path(last["output"]).exists()
    assert "torch" in last["report"]["left_out"]["unet"]
    assert {row["method"] for row in last["report"]["rows"]} == {"shell-mean", "harmonic"}


def test_the_diagnosis_says_who_needs_them_and_all_is_well():
    text = run("""
        import json
        from MedInpaintLib import diagnosis
        found = diagnosis.report()
        print(json.dumps(diagnosis.text(found)))
    """)
    assert f"torch: not installed; needed by: {', '.join(LEARNED)}" in text
    assert f"safetensors: not installed; needed by: {', '.join(LEARNED)}" in text
    assert "left out, whose packages are not installed" in text
    assert text.endswith("All is well.")
    for name in mi.list_models():
        assert f"{name}: " in text


@pytest.mark.parametrize("error", ["ImportError('DLL load failed')", "OSError('[WinError 126] c10.dll')"])
def test_torch_that_is_there_and_broken_spoils_nothing_else(scene, tmp_path, error):
    for name in ("torch", "safetensors"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise {error}")
    path = os.pathsep.join([str(tmp_path), str(Path(mi.__file__).parents[1])])
    script = textwrap.dedent(FILL.replace('assert "torch" not in sys.modules', "")).replace(
        "import json", "import json, sys", 1
    )
    process = subprocess.run(
        [sys.executable, "-c", script, str(scene), "auto", *WITHOUT, "unet"],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert process.returncode == 0, process.stderr
    outcomes = json.loads(process.stdout.splitlines()[-1])
    assert outcomes.pop("unet") is not True
    there = [name for name in ["auto", *WITHOUT] if name == "auto" or not registry.get(name).missing()]
    assert all(outcomes[name] is True for name in there)
