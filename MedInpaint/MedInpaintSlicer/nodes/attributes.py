"""What nodes say about themselves, in attributes that are saved with the scene."""

from datetime import datetime

#: What every result says about itself, in the node's description and in an attribute that is saved with the scene.
NOTICE = "Synthetic voxels inside the hole, not for clinical use."

#: The roles under which a result refers to volumes that were made of it.
UNCERTAINTY_ROLE, DIFFERENCE_ROLE = "MedInpaint.Uncertainty", "MedInpaint.Difference"


def setAll(node, attributes: dict[str, str]) -> None:
    """In place of what an earlier run has said of the node."""
    for name in node.GetAttributeNames():
        if name.startswith("MedInpaint."):
            node.RemoveAttribute(name)
    for name, value in attributes.items():
        node.SetAttribute(f"MedInpaint.{name}", value)


def now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def forgetDerived(node) -> None:
    """Remove attributes of an earlier result, of the input or of the output's old content from a new result."""
    for role in (UNCERTAINTY_ROLE, DIFFERENCE_ROLE):
        node.RemoveNodeReferenceIDs(role)
