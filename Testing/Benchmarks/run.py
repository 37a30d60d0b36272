"""``make bench``: every benchmark, each a ratio against a peer in the same run. Minutes; nothing is asserted."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

BENCHMARKS = (
    "startup",
    "reading",
    "biharmonic",
    "live_fill",
    "poisson",
    "preconditioner",
    "scaling",
    "rfr",
    "latent_search",
    "imputation",
    "loads",
)
LIBRARIES = ("numpy", "scipy", "scikit-image", "pyamg", "fpie", "numba", "torch")


def main() -> None:
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {platform.system()}")
    print(", ".join(f"{name} {version(name)}" for name in LIBRARIES))
    for name in BENCHMARKS:
        print(f"\n== {name}", flush=True)
        subprocess.run([sys.executable, str(Path(__file__).parent / f"{name}.py")], check=True)


if __name__ == "__main__":
    main()
