"""The average healthy head in MNI coordinates: its maps, its registration onto a scan, and the fill that it suggests."""
