"""DICOM: series, enhanced objects, segmentations and structure sets in; derived series out.

Single-frame images are read by SimpleITK (GDCM), header and pixels, with nothing else installed. What keeps its facts
in nested sequences (enhanced multi-frame images, segmentations, structure sets) and all writing needs pydicom.
"""
