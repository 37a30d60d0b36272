"""The Python packages that a run needs; nothing is installed without asking."""

from . import layout


def ensurePackages(extra=()) -> None:
    """Offer to install what is missing of ``Resources/requirements.txt`` and of a method's own packages.

    Args:
        extra: requirements as pip names them.

    Raises:
        RuntimeError: the user declined.
    """
    import slicer.packaging

    requirements = slicer.packaging.load_requirements(str(layout.resourcePath("requirements.txt")))
    slicer.packaging.pip_ensure([*requirements, *extra], requester="MedInpaint")
