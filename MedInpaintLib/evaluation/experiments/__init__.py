"""Experiments over many images, one file each: a command, a table, pictures, and what was found."""
