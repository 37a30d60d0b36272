"""How good a fill is: small functions ``metric(filled, truth, hole, ...)`` on arrays, all over the hole.

:func:`score` computes the whole set by a named convention; the others are its parts. Inputs may have any real dtype,
work is done in float64, nothing is scaled, and ranges are always given by the caller.
"""

from .absolute_error import mae
from .conventions import CONVENTIONS, Convention, score
from .seam import boundary_jump
from .signal_to_noise import psnr
from .slices import slice_jump
from .squared_error import mse, nmse, rmse
from .structural_similarity import ssim, ssim_map
from .texture import gradient_energy

__all__ = [
    "CONVENTIONS",
    "Convention",
    "boundary_jump",
    "gradient_energy",
    "mae",
    "mse",
    "nmse",
    "psnr",
    "rmse",
    "score",
    "slice_jump",
    "ssim",
    "ssim_map",
]
