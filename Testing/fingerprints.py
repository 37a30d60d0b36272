"""Print a hash of every fill of a fixed list, to show that a change of the code changes no result.

Run it on two commits on one machine and compare what it prints::

    python Testing/fingerprints.py --data DATA > before.txt     # in a checkout of the one commit
    python Testing/fingerprints.py --data DATA > after.txt      # in a checkout of the other
    diff before.txt after.txt

The list: every method that needs no model on the three sample images, with the network released for each; on two heads
of DATA (a folder with MANIFEST.csv), the same methods and all released brain models; one estimate of a missing
contrast; a self-check and an uncertainty. Hashes depend on the processor and on library versions, so they are compared
and never committed. Only the public functions are called, so the script runs on every version since 0.1.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # sums of several threads are in another order
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path.cwd()))

FLAT = [
    "biharmonic",
    "harmonic",
    "hybrid",
    "mirror",
    "navier-stokes",
    "nearest",
    "patch",
    "patch-regression",
    "shell-mean",
    "telea",
    "white-matter",
    "auto",
]
SOLID = [*FLAT, "linear-z"]
BRAIN_MODELS = {
    "unet": ("brain-mr-unet",),
    "pconv": ("brain-mr-pconv",),
    "rfr": ("brain-mr-rfr",),
    "vae-latent": ("brain-mr-vae-3",),
    "gan-latent": ("brain-mr-gan-3",),
}
HEADS = ("mr_t1/ds002748-47/t1.nii.gz", "mr_t1/studyforrest-02/t1.nii.gz")
CONTRASTS = "mr_multicontrast/lju-long04/ses1_{}.nii.gz"


def samples() -> Iterator[tuple[str, Any, Any, dict[str, Any]]]:
    """Yield ``(name, image, mask, options)`` for the sample images."""
    folder = ROOT / "Resources" / "SampleData"
    for name, image, mask in (
        ("brain-t1", "brain-t1.nii.gz", "brain-t1-hole.nii.gz"),
        ("ct-slab", "ct-slab.nii.gz", "ct-slab-hole.nii.gz"),
        ("chest-film", "chest-film.png", "chest-film-hole.png"),
    ):
        for method in FLAT if name == "chest-film" else SOLID:
            yield f"{name} {method}", folder / image, folder / mask, {"method": method}
    for method, models in BRAIN_MODELS.items():
        for model in models:
            options = {"method": method, "parameters": {"model": model}}
            yield f"brain-t1 {method} {model}", folder / "brain-t1.nii.gz", folder / "brain-t1-hole.nii.gz", options
    for method in ("unet", "patch"):  # the seed reaches the fill that a network corrects, too
        yield (
            f"brain-t1 {method} seed 7",
            folder / "brain-t1.nii.gz",
            folder / "brain-t1-hole.nii.gz",
            {
                "method": method,
                "seed": 7,
            },
        )
    film = (folder / "chest-film.png", folder / "chest-film-hole.png")
    yield "chest-film unet", *film, {"method": "unet"}
    yield "chest-film auto self-check", *film, {"self_check": True}


def balls(image: Any) -> Any:
    """Return a mask of two balls, 16 mm across, one in each half of a head, the second one nearer to the front."""
    import numpy as np

    mask = np.zeros(image.array.shape, dtype=bool)
    for centre in ((0.55, 0.45, 0.3), (0.6, 0.65, 0.62)):
        apart = [
            (np.arange(size) - at * size) * mm
            for at, size, mm in zip(centre, image.array.shape, image.spacing, strict=True)
        ]
        mask |= sum(each**2 for each in np.meshgrid(*apart, indexing="ij")) <= 64.0
    return mask


def heads(data: Path) -> Iterator[tuple[str, Any, Any, dict[str, Any]]]:
    """Yield the cases on two heads of test people, each with two 16 mm balls, and on one slice of CT."""
    import numpy as np

    from MedInpaintLib import Volume

    for number, head in enumerate(HEADS):
        image = Volume.read(data / head)
        mask = balls(image)
        name = Path(head).parent.name
        for method in SOLID:
            yield f"{name} {method}", image, mask, {"method": method}
        for method in ("unet", "pconv", "rfr", "vae-latent", "gan-latent"):
            yield f"{name} {method}", image, mask, {"method": method}
        yield f"{name} exemplar", image, mask, {"method": "exemplar", "exemplars": [data / HEADS[1 - number]]}
        yield f"{name} biharmonic uncertainty", image, mask, {"method": "biharmonic", "uncertainty": True}
        yield f"{name} biharmonic feather grown", image, mask, {"blend": "feather", "dilate_mm": 1.5, "device": "cpu"}
    t1, t2, flair = (Volume.read(data / CONTRASTS.format(name)) for name in ("t1", "t2", "flair"))
    mask = balls(flair)
    parameters = {"target": "FLAIR", "guides": "T1,T2"}
    yield "lju-long04 collagan", flair, mask, {"method": "collagan", "guides": [t1, t2], "parameters": parameters}
    for method in ("patch", "hybrid", "mirror", "patch-regression", "auto"):
        yield f"lju-long04 {method} guided", flair, mask, {"method": method, "guides": [t1, t2]}
    slices = sorted((data / "ct_slices").glob("*/*.nii.gz"))
    image = Volume.read(slices[0])
    mask = np.zeros(image.array.shape, dtype=bool)
    mask[..., 80:112, 100:132] = True
    for method in ("unet", "patch", "auto"):
        yield f"ct-slice {method}", image, mask, {"method": method}


def main() -> None:
    """Fill every case and print its name, the hash of the result and the seconds (to standard error)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with MANIFEST.csv; without it, the samples alone")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    arguments = parser.parse_args()
    import MedInpaintLib as mi

    cases = [*samples(), *(heads(arguments.data) if arguments.data else [])]
    for name, image, mask, options in cases:
        if arguments.only not in name:
            continue
        start = time.process_time()
        try:
            result = mi.inpaint(image, mask, labels=["all"], **options)
        except mi.MedInpaintError as error:
            print(f"{name}: {type(error).__name__}", flush=True)
            continue
        digest = hashlib.sha256(result.volume.array.tobytes())
        if result.uncertainty is not None:
            digest.update(result.uncertainty.array.tobytes())
        print(f"{name}: {digest.hexdigest()[:16]} by {result.report['method']}", flush=True)
        print(f"{name}: {time.process_time() - start:.2f} s of CPU", file=sys.stderr, flush=True)
    if arguments.data and arguments.only in "impute":
        images = {name.upper(): arguments.data / CONTRASTS.format(name) for name in ("t1", "t2")}
        for like in (None, arguments.data / CONTRASTS.format("flair")):
            estimate = mi.impute(images, "FLAIR", like=like)
            print(f"impute like {like is not None}: {hashlib.sha256(estimate.volume.array.tobytes()).hexdigest()[:16]}")


if __name__ == "__main__":
    main()
