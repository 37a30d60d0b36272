"""``python -m MedInpaintLib.cli``: the command where no script is on the path."""

from . import main

main()
