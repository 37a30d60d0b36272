"""Segmentations of filled images: the lesion is put back into them, and the regions are measured before and after.

* :mod:`.lesion_back`: the whole way for a label map;
* :mod:`.segments`: the same for segments that may overlap, as Slicer has them;
* :mod:`.numberings`: what the labels of known programs mean;
* :mod:`.by_atlas`: names by the atlas where there are none;
* :mod:`.sides`: which regions and voxels are left and right;
* :mod:`.regions`: the table of regions.
"""
