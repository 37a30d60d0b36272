# Included where Slicer includes what makes no difference to the files that are installed.
