"""Inpainting methods, one file each; :mod:`.registry` finds them."""
