"""The tabs of the panel, one per file, and their shared code. The widgets are in Resources/UI."""
