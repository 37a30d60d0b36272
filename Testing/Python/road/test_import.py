"""The import is quick and light."""

import json
import subprocess
import sys

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


def test_every_public_name_can_be_had_and_methods_stays_a_function_after_use():
    import MedInpaintLib as mi

    for name in mi.__all__:
        assert getattr(mi, name) is not None
    assert "harmonic" in mi.methods()
    assert "harmonic" in mi.methods()
    assert mi.methods.registry.get("harmonic").name == "harmonic"
    assert isinstance(mi.models(), dict)
    assert "inpaint" in dir(mi)
