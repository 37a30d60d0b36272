"""The Python packages that a run needs; nothing is installed without asking."""

import importlib.metadata
import re

import slicer
from slicer.i18n import tr as _

from . import layout


def ensurePackages(extra=()) -> None:
    """Offer to install what is missing of ``Resources/requirements.txt`` and of a method's own packages.

    Args:
        extra: requirements as pip names them.

    Raises:
        RuntimeError: the user declined.
    """
    requirementsFile = layout.resourcePath("requirements.txt")
    try:
        import slicer.packaging
    except ImportError:
        _ensureWithPip([*_lines(requirementsFile), *extra])
        return
    requirements = [*slicer.packaging.load_requirements(str(requirementsFile)), *extra]
    slicer.packaging.pip_ensure(requirements, requester="MedInpaint")


def _ensureWithPip(requirements) -> None:
    """For Slicer before 5.12, which has no slicer.packaging."""
    missing = [requirement for requirement in requirements if not _isInstalled(requirement)]
    if not missing:
        return
    question = _("MedInpaint needs the Python packages {packages}. Install them now?").format(
        packages=", ".join(missing)
    )
    if not slicer.util.confirmOkCancelDisplay(question):
        raise RuntimeError(_("The Python packages {packages} were not installed.").format(packages=", ".join(missing)))
    slicer.util.pip_install(missing)


def _isInstalled(requirement: str) -> bool:
    name = re.match(r"[\w.-]+", requirement).group()
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _lines(requirementsFile) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in requirementsFile.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]
