"""The engine's shapes of synthetic holes, as the panel offers and describes them."""

from typing import Any

from slicer.i18n import tr as _

#: The entry in the list of shapes that stands for segments.
SEGMENTS = "segments"


def titles() -> dict[str, str]:
    """Return the engine's name of each shape -> its title in the panel."""
    words, known = _words(), _shapes()
    inOrder = [*(name for name in words if name in known), *(name for name in known if name not in words)]
    return {name: words[name][0] if name in words else name.capitalize() for name in inOrder}


def isFlat(shape: str) -> bool:
    """Tell whether holes of a shape lie in slices and have a thickness."""
    return shape in _shapes() and "[:slab=" in _shapes()[shape].GRAMMAR


def describe(shape: str, sizeMm: float, count: int, slabMm: float = 0) -> str:
    """Return the engine's description of holes, such as ``"squares:20mm:6:slab=5mm"``.

    Args:
        slabMm: thickness of flat holes; 0: one slice. Ignored for other shapes.
    """
    slab = f":slab={slabMm:g}mm" if slabMm and isFlat(shape) else ""
    return f"{shape}:{sizeMm:g}mm:{count}{slab}"


def inWords(shape: str, sizeMm: float, count: int, slabMm: float = 0) -> str:
    """Describe holes for users: "6 squares of 20 mm, 5 mm thick"."""
    _title, one, several = _words().get(shape, (shape, shape, shape))
    holes = _("{count} {shape} of {size:g} mm").format(count=count, shape=one if count == 1 else several, size=sizeMm)
    if slabMm and isFlat(shape):
        return _("{holes}, {thickness:g} mm thick").format(holes=holes, thickness=slabMm)
    return holes


def _shapes() -> dict[str, Any]:
    """Return the classes of holes that have a grammar, by name."""
    from MedInpaintLib import holes

    classes = (getattr(holes, name) for name in holes.__all__)
    return {each.GRAMMAR.partition(":")[0]: each for each in classes if hasattr(each, "GRAMMAR")}


def _words() -> dict[str, tuple[str, str, str]]:
    """Return title, singular and plural of each shape, by name."""
    return {
        "spheres": (_("Spheres"), _("sphere"), _("spheres")),
        "squares": (_("Squares, boxes"), _("square"), _("squares")),
        "strips": (_("Strips across the slice"), _("strip"), _("strips")),
        "strokes": (_("Free-form strokes"), _("stroke"), _("strokes")),
        "blobs": (_("Blobs"), _("blob"), _("blobs")),
        "lesions": (_("Shapes of real lesions"), _("lesion shape"), _("lesion shapes")),
    }
