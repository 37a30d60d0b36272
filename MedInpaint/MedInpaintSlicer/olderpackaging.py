"""In place of ``slicer.packaging`` where Slicer (up to 5.10) has none: as much of it as MedInpaint uses."""

import importlib.metadata

import slicer
from slicer.i18n import tr as _


def load_requirements(path: str) -> list:
    """The requirements (``packaging.requirements.Requirement``) in a file, without its comments."""
    from packaging.requirements import Requirement

    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def pip_check(requirement) -> bool:
    """Whether a version is installed that fulfills the requirement."""
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)


def pip_ensure(requirements: list, requester: str, prompt_install: bool = True) -> None:
    """Install what is missing once the user agreed; nothing in Slicer's tests.

    Raises:
        RuntimeError: the user declined.
        subprocess.CalledProcessError: pip failed.
    """
    from packaging.requirements import Requirement

    missing = [str(each) for each in requirements if not pip_check(Requirement(str(each)))]
    if not missing or slicer.app.testingEnabled():
        return
    if prompt_install:
        question = _("{count} Python package(s) will be installed into Slicer: {packages}. Continue?").format(
            count=len(missing), packages=", ".join(missing)
        )
        title = _("{requester} - Install Python Packages").format(requester=requester)
        if not slicer.util.confirmOkCancelDisplay(question, title):
            raise RuntimeError("User declined package installation")
    slicer.util.pip_install(missing)
