"""Damaged and odd files of many kinds, in every format, with the right outcome, checked without our readers.

A kind is one small function that makes the files of a trial and returns what is right: a fill whose values are known
(the images are ramps, which a biharmonic fill continues exactly), or a refusal in one line. ``make odd-files`` tries
all of them; the tests of the engine a sample.
"""

from . import dicom, files, guides, headers, masks, voxels, wholeness  # noqa: F401  # each adds its kinds
from .kinds import KINDS as KINDS
from .kinds import Kind as Kind
