"""The Slicer side of MedInpaint: MRML nodes, the worker process and the panel's parts. The engine is MedInpaintLib."""
