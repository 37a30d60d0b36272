"""The Python packages that a run needs; nothing is installed without asking."""

from slicer.i18n import tr as _

from . import layout


def ensurePackages(methodTitle: str = "", extra=()) -> None:
    """Offer to install what is missing of ``Resources/requirements.txt`` and of a method's own packages.

    Args:
        methodTitle: how the panel calls the method; empty where another one would do no better.
        extra: the method's own requirements as pip names them.

    Raises:
        MedInpaintLib.errors.MissingDependencyError: the user declined, or pip could not install them.
    """
    import slicer.packaging

    if "torch" in extra:
        _ensureTorch()
    requirements = slicer.packaging.load_requirements(str(layout.resourcePath("requirements.txt")))
    try:
        slicer.packaging.pip_ensure([*requirements, *extra], requester="MedInpaint")
    except RuntimeError as error:
        from MedInpaintLib.errors import MissingDependencyError

        raise MissingDependencyError(_whatToDo(error, methodTitle, _missing(requirements), _missing(extra))) from error


def _ensureTorch() -> None:
    """Let the extension PyTorch install torch, where it is there: it knows which build suits the computer's GPU."""
    if not _missing(["torch"]):
        return
    try:
        import PyTorchUtils
    except ImportError:
        return  # pip takes the usual build then
    PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True)


def _missing(requirements) -> list[str]:
    from packaging.requirements import Requirement
    from slicer.packaging import pip_check

    return [str(each) for each in requirements if not pip_check(Requirement(str(each)))]


def _whatToDo(error: RuntimeError, methodTitle: str, engines: list[str], methods: list[str]) -> str:
    packages = ", ".join([*engines, *methods])
    if not packages or "declined" not in str(error):
        return _("The Python packages could not be installed: {error}").format(error=error)
    if engines or not methodTitle:
        return _("MedInpaint needs the Python package(s) {packages}. Press Apply again and agree.").format(
            packages=packages
        )
    return _(
        "The method '{method}' needs the Python package {packages}. "
        "Press Apply again and agree, or choose another method."
    ).format(method=methodTitle, packages=packages)
