"""The Segment Editor effect "MedInpaint fill"."""

from .SegmentEditorEffect import SegmentEditorEffect, sourceFile

__all__ = ["SegmentEditorEffect", "sourceFile"]
