"""The BIDS app: fill the lesions of a whole BIDS dataset and write a BIDS derivative.

* :mod:`.names`, :mod:`.layout`: file names, and the files of a dataset;
* :mod:`.filters`: which participants, sessions and images the user chooses;
* :mod:`.masks`, :mod:`.guides`: which mask and which other contrasts belong to an image;
* :mod:`.derivative`, :mod:`.sidecars`: the dataset that is written, and what it says about each image;
* :mod:`.case`: one image as a case of a cohort;
* :mod:`.plan`, :mod:`.group`: the two levels of the app;
* :mod:`.earlier`, :mod:`.overview`: what other runs have left, and the tables and pages over all images.
"""
