"""Model bundles for tests, written without torch and the engine; their weights are of no use."""

import hashlib
import json
from pathlib import Path

FACTS = {
    "format": 1,
    "title": "A tiny model",
    "architecture": "unet",
    "arguments": {"width": 4},
    "modality": "MR",
    "contrasts": ["T1", "FLAIR"],
    "normalisation": {"centre": 0.5, "half_width": 0.25},
    "input": {"pixels": 64, "pixel_mm": 1.5, "plane": "axial"},
    "training": {
        "recipe": "tiny",
        "steps": 100,
        "seed": 7,
        "data": [{"dataset": "Heads", "licence": "CC BY 4.0", "citation": "Doe 2020", "subjects": 12}],
    },
    "scores": [],
}


def write(folder: Path, name: str, /, **changes) -> Path:
    """A bundle ``name`` in a new folder of that name; returns the folder.

    Args:
        folder: in which it is made, with those above it.
        changes: other facts than those of :data:`FACTS`.
    """
    made = Path(folder) / name
    made.mkdir(parents=True)
    weights = name.encode() * 1000
    described = {"file": "weights.safetensors", "sha256": hashlib.sha256(weights).hexdigest(), "dtype": "float16"}
    facts = {**FACTS, "name": name, "weights": {**described, "bytes": len(weights)}, **changes}
    (made / "weights.safetensors").write_bytes(weights)
    (made / "bundle.json").write_text(json.dumps(facts), encoding="utf-8")
    return made


def damage(folder: Path) -> None:
    """Change one byte of a bundle's weights; their size stays."""
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
