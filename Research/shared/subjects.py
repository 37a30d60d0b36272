"""A damaged image as the engine's methods see it, for studies that look at what methods are made of."""

from __future__ import annotations

import numpy as np

from MedInpaintLib.intensity import fit_scaling, sample_known
from MedInpaintLib.mask import Hole
from MedInpaintLib.modality import MR, Modality
from MedInpaintLib.subject import Subject
from MedInpaintLib.volume import Volume


def damaged_subject(image: Volume, hole: np.ndarray, modality: Modality = MR) -> Subject:
    """Return an image with a hole, in whose place 0 is put, as :func:`MedInpaintLib.inpaint` hands it to methods.

    Args:
        image: with data everywhere.
        hole: bool, of the image's shape.
        modality: of the image.
    """
    from scipy import ndimage

    box = ndimage.find_objects(hole.astype(np.int8))[0]
    whole = Hole(hole[box], box, hole.shape)
    voided = image.with_array(np.where(hole, image.array.dtype.type(0), image.array))
    return Subject(voided, whole, fit_scaling(sample_known(image.array, whole.voxels, box), modality), modality)
