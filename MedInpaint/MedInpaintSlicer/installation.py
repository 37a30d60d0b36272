"""Installation of the Python packages that a run needs; nothing is installed without asking."""

import subprocess

import slicer
from slicer.i18n import tr as _

from . import layout, pipfailure


def ensurePackages(methodTitle: str = "", extra=()) -> None:
    """Offer to install the missing packages of ``Resources/requirements.txt`` and of a method.

    Args:
        methodTitle: the method's title in the panel; empty where another method would not help.
        extra: the method's own requirements, in pip's notation.

    Raises:
        MedInpaintLib.errors.MissingDependencyError: the user declined or the installation failed; says what to do.
    """
    try:
        from slicer import packaging as slicerPackaging
    except ImportError as error:
        raise _error(_("MedInpaint needs 3D Slicer 5.12 or newer; this one is older.")) from error
    requirements = slicerPackaging.load_requirements(str(layout.resourcePath("requirements.txt")))
    with pipfailure.overheard() as printed:
        try:
            _install([*requirements, *extra], slicerPackaging)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            missing = _missing(requirements, slicerPackaging), _missing(extra, slicerPackaging)
            raise _error(_whatToDo(error, "".join(printed), methodTitle, *missing)) from error


def _error(message: str) -> Exception:
    from MedInpaintLib.errors import MissingDependencyError

    return MissingDependencyError(message)


def _install(requirements: list, slicerPackaging) -> None:
    """Ask the user, and install the missing packages.

    Raises:
        MedInpaintLib.errors.MissingDependencyError: another installation is running.
        RuntimeError: the user declined, or the extension PyTorch failed.
        subprocess.CalledProcessError: pip failed; the error does not say why.
    """
    missing = _missing(requirements, slicerPackaging)
    if missing and slicerPackaging.isPipInstallInProgress():
        raise _error(
            _("Another installation of Python packages is running. Wait until it ends, then press Apply again.")
        )
    askedAlready = {}
    if "torch" in missing and not slicer.app.testingEnabled():  # the extension would not ask then
        extension = _pyTorchExtension()
        if extension is not None:
            _installTorch(extension)
        else:
            _askForUsualTorch(missing)
            askedAlready = {"prompt_install": False}
    slicerPackaging.pip_ensure(requirements, requester="MedInpaint", **askedAlready)


def _pyTorchExtension():
    """Return Slicer's extension PyTorch, which chooses the build that fits the GPU; None if it is not installed."""
    try:
        import PyTorchUtils
    except ImportError:
        return None
    return PyTorchUtils


def _installTorch(extension) -> None:
    try:
        torch = extension.PyTorchUtilsLogic().installTorch(askConfirmation=True)
    except subprocess.SubprocessError:
        raise
    except Exception as error:  # the extension has its own error classes
        raise RuntimeError(str(error)) from error
    if torch is None:
        raise RuntimeError("torch was declined, or the extension PyTorch failed to install it")


def _askForUsualTorch(missing: list[str]) -> None:
    question = _("{count} Python package(s) will be installed into Slicer: {packages}.").format(
        count=len(missing), packages=", ".join(missing)
    )
    if not slicer.util.confirmOkCancelDisplay(
        "\n\n".join([question, _aboutTheExtension()]), _("MedInpaint - Install Python Packages")
    ):
        raise RuntimeError("torch was declined")


def _aboutTheExtension() -> str:
    return _(
        "Slicer's extension 'PyTorch' chooses the build of torch that fits the graphics card: to get that build, "
        "install the extension first. Without it, pip installs the usual build, which can be a download of some GB."
    )


def _missing(requirements, slicerPackaging) -> list[str]:
    from packaging.requirements import Requirement

    return [str(each) for each in requirements if not slicerPackaging.pip_check(Requirement(str(each)))]


def _whatToDo(error: Exception, printed: str, methodTitle: str, engines: list[str], methods: list[str]) -> str:
    """Return the message that says why packages are missing and how to get them.

    Args:
        error: the error that the installation raised.
        printed: pip's output.
        methodTitle: the method; may be empty.
        engines, methods: the missing packages of the engine and of the method.
    """
    packages = [*engines, *methods]
    if packages and "declined" in str(error):
        return " ".join([_agree(methodTitle, engines, methods), *_aboutTorch(packages, agreed=False)])
    reason = pipfailure.reason(error, printed).rstrip(".")
    sentences = [_("The Python packages could not be installed: {reason}.").format(reason=reason)]
    sentences += _aboutTorch(packages, agreed=True)
    if packages:
        sentences.append(pipfailure.byHand(packages))
    return " ".join(sentences)


def _aboutTorch(packages: list[str], agreed: bool) -> list[str]:
    if "torch" not in packages:
        return []
    if _pyTorchExtension() is None:
        return [_aboutTheExtension()]
    if agreed:
        return []
    return [_("If you did agree, the extension 'PyTorch' failed to install torch; the Python console says why.")]


def _agree(methodTitle: str, engines: list[str], methods: list[str]) -> str:
    packages = ", ".join([*engines, *methods])
    if engines or not methodTitle:
        return _("MedInpaint needs the Python package(s) {packages}. Press Apply again and agree.").format(
            packages=packages
        )
    return _(
        "The method '{method}' needs the Python package {packages}. "
        "Press Apply again and agree, or choose another method."
    ).format(method=methodTitle, packages=packages)
