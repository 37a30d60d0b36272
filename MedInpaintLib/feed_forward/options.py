"""Parameters that all methods share that fill in one pass."""

from __future__ import annotations

import dataclasses

from ..parameters import parameter


@dataclasses.dataclass(frozen=True)
class Options:
    """What a user may set."""

    model: str = parameter(
        "auto", help="A model by name or folder; auto takes the first of its kind that 'medinpaint models list' shows."
    )
    directions: int = parameter(
        1, minimum=1, maximum=3, help="Average the fills of this many slicing directions, in volumes with cubic voxels."
    )
    mirrored: bool = parameter(
        True, help="Average with the fill of the mirrored slice, in planes that show left and right."
    )
    any_modality: bool = parameter(False, help="Use the model on images of a modality that it has not learned, too.")
