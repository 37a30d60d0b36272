"""Between MRML nodes and arrays: the only place that knows both.

Arrays are ``(k, j, i)``; matrices are 4 x 4, from voxel indices (i, j, k) to mm in RAS. The image is handed to the
engine on the volume's own voxel grid, and the hole is resampled onto that grid through the parent transforms of both
nodes. So the engine never needs to know about transforms, and the result, under the same transform as the input, lies
where the input lies.
"""
