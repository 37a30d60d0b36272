"""The Slicer side of MedInpaint: MRML nodes, the worker process and the panel. The engine is MedInpaintLib."""
