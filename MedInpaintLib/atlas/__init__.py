"""The average healthy head in MNI coordinates: its maps, its registration onto a scan, and what it suggests there."""
