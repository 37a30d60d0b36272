"""Attributes of nodes, which are saved with the scene."""

from collections.abc import Collection
from datetime import datetime

#: The notice in the description and in an attribute of every result.
NOTICE = "Synthetic voxels inside the hole, not for clinical use."

#: The roles of a result's references to its uncertainty, to its samples and to its difference from the input.
UNCERTAINTY_ROLE, SAMPLES_ROLE, DIFFERENCE_ROLE = (
    "MedInpaint.Uncertainty",
    "MedInpaint.Samples",
    "MedInpaint.Difference",
)


def setAll(node, attributes: dict[str, str], kept: Collection[str] = ()) -> None:
    """Set MedInpaint's attributes of a node, and remove those of an earlier run, except some to be kept."""
    for name in node.GetAttributeNames():
        if name.startswith("MedInpaint.") and name not in kept:
            node.RemoveAttribute(name)
    for name, value in attributes.items():
        node.SetAttribute(f"MedInpaint.{name}", value)


def now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def forgetDerived(node) -> None:
    """Remove a node's references to the uncertainty, samples and difference of an earlier result."""
    for role in (UNCERTAINTY_ROLE, SAMPLES_ROLE, DIFFERENCE_ROLE):
        node.RemoveNodeReferenceIDs(role)
