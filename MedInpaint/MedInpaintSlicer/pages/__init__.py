"""The tabs of the panel, one a file, and what they share. Their widgets are in Resources/UI."""
