"""Parameters that all methods of latent search share."""

from __future__ import annotations

import dataclasses

from ..parameters import parameter


@dataclasses.dataclass(frozen=True)
class Options:
    """What a user may set; the methods' own defaults differ."""

    model: str = parameter(
        "auto", help="A model by name or folder; auto takes the first of its kind that 'medinpaint models list' shows."
    )
    steps: int = parameter(100, minimum=0, maximum=10_000, help="Steps of Adam at most; 0 takes the start as it is.")
    polish: int = parameter(0, minimum=0, maximum=1000, help="Steps of L-BFGS after that.")
    restarts: int = parameter(
        1, minimum=1, maximum=64, help="Searches of each slice, from different starts; their spread is the uncertainty."
    )
    context: str = parameter(
        "L2", choices=("L1", "L2", "off"), help="How to compare with the known pixels; off leaves only the prior."
    )
    weighting: bool = parameter(True, help="Let known pixels near the hole count more.")
    window: int = parameter(
        7, unit="px", minimum=3, maximum=63, help="Side of the square in which a known pixel sees the hole; odd."
    )
    far: float = parameter(0.5, minimum=0.0, maximum=1.0, help="What a known pixel counts that sees none of the hole.")
    prior: float = parameter(3.0, minimum=0.0, maximum=1000.0, help="Weight of the prior; 0 leaves it out.")
