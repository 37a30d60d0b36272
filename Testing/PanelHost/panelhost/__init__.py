"""Runs MedInpaint's panel without Slicer: real MRML from slicer-core, and a stand-in for what the panel uses of Qt."""
