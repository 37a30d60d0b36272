"""What a user waits for: the import, and the whole command on a 1 mm head."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from MedInpaintLib.samples import sample


def median_seconds(command: list[str], repeats: int = 7) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[repeats // 2]


def main() -> None:
    python = [sys.executable, "-c"]
    nothing = median_seconds([*python, "pass"])
    print(f"python start-up          {nothing:6.3f} s")
    print(f"import MedInpaintLib     {median_seconds([*python, 'import MedInpaintLib']) - nothing:6.3f} s more")
    print(f"import numpy             {median_seconds([*python, 'import numpy']) - nothing:6.3f} s more")
    brain = sample("brain-t1")
    with tempfile.TemporaryDirectory() as folder:
        for method in ("harmonic", "biharmonic", "auto"):
            arguments = [
                str(brain.image),
                str(brain.mask),
                "-o",
                str(Path(folder, "filled.nii.gz")),
                "--method",
                method,
            ]
            seconds = median_seconds([sys.executable, "-m", "MedInpaintLib.cli", "fill", *arguments])
            print(f"medinpaint fill, {method:10} {seconds:6.3f} s wall in all (brain-t1, its hole, .nii.gz to .nii.gz)")


if __name__ == "__main__":
    main()
