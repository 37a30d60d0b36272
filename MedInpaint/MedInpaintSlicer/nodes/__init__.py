"""Conversion between MRML nodes and arrays.

Arrays are ``(k, j, i)``; matrices are 4 x 4, from voxel indices (i, j, k) to mm in RAS. The engine gets the image on
the volume's own grid, and the hole is resampled onto that grid through the parent transforms of both nodes. So the
engine needs no transforms, and the result gets the parent transform of the input.
"""
