"""The import is quick and light."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys, time, json
start = time.perf_counter()
import MedInpaintLib
seconds = time.perf_counter() - start
print(json.dumps([seconds, sorted(name for name in sys.modules if "." not in name)]))
"""


def test_importing_the_engine_loads_no_heavy_library():
    output = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    _, modules = json.loads(output)
    assert not {"numpy", "scipy", "SimpleITK", "torch", "safetensors", "skimage", "matplotlib", "cv2"} & set(modules)


def test_every_public_name_can_be_had():
    import MedInpaintLib as mi

    for name in mi.__all__:
        assert getattr(mi, name) is not None
    assert "harmonic" in mi.list_methods()
    assert isinstance(mi.list_models(), dict)
    assert "inpaint" in dir(mi)


@pytest.mark.parametrize("name", ["methods", "models"])
def test_the_name_of_version_0_1_warns_and_works_before_and_after_the_package_is_imported(name):
    import MedInpaintLib as mi

    for _ in range(2):
        package = getattr(mi, name)
        with pytest.warns(DeprecationWarning, match=rf"list_{name}\(\)"):
            assert package() == getattr(mi, f"list_{name}")()
    assert mi.methods.registry.get("harmonic").name == "harmonic"


@pytest.mark.parametrize(("asked", "found"), [(None, "1"), ("3", "3")])
@pytest.mark.parametrize("module", ["job", "cli"])
def test_command_and_job_work_with_one_blas_thread_unless_told_otherwise(module, asked, found):
    code = (
        f"import os, sys; import MedInpaintLib.{module} as it; assert 'numpy' not in sys.modules; sys.argv = ['x'];\n"
        "try: it.main()\nexcept SystemExit: pass\nprint('threads', os.environ['OPENBLAS_NUM_THREADS'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {"OPENBLAS_NUM_THREADS": asked} if asked else {}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=environment)
    assert f"threads {found}" in done.stdout, done.stderr
