"""Pages for people: one HTML file a fill, and an index over a study. Each file is whole: no network, no other file.

* :mod:`.page`: the page of a fill, made of its images and its report;
* :mod:`.subject`: the page over the images of a subject;
* :mod:`.index`: the index over the cases of a study;
* :mod:`.planes`: how a volume is cut and turned; :mod:`.pictures`: cuts as PNG, outlines as SVG;
* :mod:`.document`: what all pages share.
"""
