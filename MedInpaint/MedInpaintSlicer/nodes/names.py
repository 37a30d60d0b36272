"""The names of results. A result is recognised by its attributes, so names may be in any language."""

from slicer.i18n import tr as _

#: Attributes of a node that MedInpaint has named: the name of what was filled first, and the name that it was given.
ORIGINAL, GIVEN = "MedInpaint.Original", "MedInpaint.Name"


def resultName(inputNode, method: str) -> str:
    """Return the name of a new result, which has "filled" only once even if its input is a result."""
    return _("{input} filled ({method})").format(input=originalName(inputNode), method=method)


def originalName(node) -> str:
    """Return the name of what was filled first to make a result; the node's own name, if it is no result.

    A name that the user has given a result is its own name.
    """
    if node.GetAttribute(GIVEN) == node.GetName():
        return node.GetAttribute(ORIGINAL)
    return node.GetName()


def recordOrigin(node, inputNode) -> None:
    """Set the attributes by which a result that was just named after its input is recognised later."""
    original = originalName(inputNode)
    node.SetAttribute(ORIGINAL, original)
    node.SetAttribute(GIVEN, node.GetName())


def forgetOrigin(node) -> None:
    """Remove these attributes from a node that takes another result."""
    node.RemoveAttribute(ORIGINAL)
    node.RemoveAttribute(GIVEN)
