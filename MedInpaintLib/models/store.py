"""Find, add and remove models.

Models are in the user's folder or come with MedInpaint (released models); each bundle is a folder with the model's
name. The user's model, even if broken, hides a released one of the same name: a fill must not silently use another
model than the user added.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from ..errors import ModelError
from ..files import check_path, make_folder
from ..resources import cache_folder, resource_folders
from ..temporary import NEW, temporary_folder
from .archive import unpacked
from .bundle import Bundle, read_bundle
from .folders import CARD, FACTS, own_file, replacing_bundle, strangers, writing
from .recipes import has_recipe, how_to_make

#: Folders with the released models.
_RELEASED = resource_folders("Models")


def user_folder() -> Path:
    """Return the folder of the user's own models, which need not exist yet.

    This is the environment variable ``MEDINPAINT_MODELS`` or, if unset, ``medinpaint/models`` in the platform's cache.
    """
    chosen = os.environ.get("MEDINPAINT_MODELS")
    return Path(chosen).expanduser() if chosen else cache_folder() / "medinpaint" / "models"


def is_released(bundle: Bundle) -> bool:
    """Return whether a bundle comes with MedInpaint."""
    return bundle.folder.parent in _RELEASED


def models() -> dict[str, Bundle]:
    """Return all usable models by name, in alphabetical order; :func:`broken` returns the others.

    Only facts and the size of the weights are checked; :meth:`Bundle.verify` checks their content.
    """
    return dict(sorted(_look()[0].items()))


def broken() -> dict[Path, str]:
    """Return the folders of unusable models, each with its fault."""
    return _look()[1]


def find(name_or_path: str | os.PathLike[str]) -> Bundle:
    """Return the model of that name, or the one in that folder.

    Raises:
        ModelError: there is none (the message lists all models, and names a recipe for it), or it is broken.
    """
    known, wrong = _look()
    if name_or_path in known:
        return known[str(name_or_path)]
    for folder, why in wrong.items():
        if folder.name == name_or_path:
            raise ModelError(why)
    if str(name_or_path) and Path(name_or_path).is_dir():
        return read_bundle(name_or_path)
    recipe = f"its recipe makes it ('medinpaint train {name_or_path}'); " if has_recipe(str(name_or_path)) else ""
    raise ModelError(f"There is no model '{name_or_path}'; {recipe}{_listed(known, 'the models are')}.")


def choose(name: str, architecture: str, modality: str, *, any_modality: bool = False) -> Bundle:
    """Return the model of a parameter: by name or folder, or from :func:`fitting` for ``"auto"``.

    Args:
        name: of the model, its folder, or ``"auto"``.
        architecture: of the method.
        modality: of the image.
        any_modality: whether a model of another modality may be taken.

    Raises:
        ModelError: there is none, or it is of another architecture or modality.
    """
    bundle = fitting(architecture, modality) if name == "auto" else find(name)
    if bundle is None:
        raise ModelError(f"There is no model of the architecture '{architecture}'; {how_to_make(architecture)}.")
    bundle.check_architecture(architecture)
    if bundle.modality == modality or any_modality:
        return bundle
    raise ModelError(
        f"The model '{bundle.name}' has learned from {bundle.modality} images, and this one is treated as {modality}; "
        f"say what it is (--modality) if that is wrong, choose another model or method, {how_to_make(architecture)}, "
        "or set any_modality to use it all the same."
    )


def fitting(architecture: str, modality: str | None = None) -> Bundle | None:
    """Return the first model of an architecture, preferably of a modality (None: not known yet); None without any."""
    fit = [each for each in models().values() if each.architecture == architecture]
    return next((each for each in fit if each.modality == modality), fit[0] if fit else None)


def modalities(architecture: str, among: Iterable[Bundle] | None = None) -> list[str]:
    """Return the modalities with models of an architecture, in alphabetical order.

    Args:
        architecture: for a method, :attr:`.MethodInfo.architecture`.
        among: the models to search; all of :func:`models` when None.
    """
    bundles = models().values() if among is None else among
    return sorted({each.modality for each in bundles if each.architecture == architecture})


def available(architecture: str, modality: str) -> bool:
    """Return whether there is a model of an architecture for images of a modality."""
    return modality in modalities(architecture)


def add(source: str | os.PathLike[str], *, replace: bool = False) -> Bundle:
    """Copy a bundle into the user's folder after checking that it is complete; return the copy.

    Args:
        source: a folder with a bundle, or a .zip file with one bundle in it, on top or in folders.
        replace: whether a model of that name may be replaced.

    Raises:
        ModelError: there is no bundle, it is damaged, or its name is in use.
        OutputError: it could not be written; nothing has changed.
    """
    check_path(source)
    path = Path(source)
    if path.is_dir():
        return _add(path, replace)
    if not path.is_file():
        raise ModelError(f"There is no folder or file '{source}' to add.")
    with unpacked(path) as folder:
        try:
            return _add(folder, replace)
        except ModelError as error:
            # The user knows the archive, not the temporary folder.
            raise ModelError(str(error).replace(str(folder), str(path))) from None


def remove(name: str) -> None:
    """Delete a model, whole or broken, from the user's folder.

    Raises:
        ModelError: there is none of that name, it comes with MedInpaint, or its folder also holds other files.
        OutputError: the file system refuses.
    """
    own = {folder.name: folder for folder in _folders(user_folder())}
    if name not in own:
        released = {folder.name for parent in _RELEASED for folder in _folders(parent)}
        if name in released:
            raise ModelError(f"The model '{name}' comes with MedInpaint and cannot be removed.")
        raise ModelError(f"There is no model '{name}' to remove; {_listed(own, 'your own models are')}.")
    folder = own[name]
    with writing(folder):
        if folder.is_symlink():
            folder.unlink()
            return
        extras = strangers(folder)
        if extras:
            raise ModelError(
                f"The folder '{folder}' holds more than a model ('{extras[0]}'); remove it by hand if you are sure."
            )
        _delete(folder)


def _folders(parent: Path) -> list[Path]:
    """Return the subfolders of models; hidden ones are being written or deleted."""
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))


def _look() -> tuple[dict[str, Bundle], dict[Path, str]]:
    """Return all bundles by name, and the faults of folders without a usable one."""
    known: dict[str, Bundle] = {}
    wrong: dict[Path, str] = {}
    taken: set[str] = set()
    for parent in (user_folder(), *_RELEASED):
        for folder in _folders(parent):
            try:
                bundle = _checked(folder)
            except ModelError as error:
                wrong[folder] = str(error)
            else:
                if folder.name not in taken:
                    known[folder.name] = bundle
            taken.add(folder.name)
    return known, wrong


def _checked(folder: Path) -> Bundle:
    bundle = read_bundle(folder)
    if bundle.name != folder.name:
        raise ModelError(f"The folder '{folder}' holds the model '{bundle.name}'; rename one of the two.")
    bundle.check_size()
    return bundle


def _listed(names: dict[str, Bundle] | dict[str, Path], words: str) -> str:
    return f"{words}: {', '.join(sorted(names))}" if names else "there are none; 'medinpaint models add' adds one"


def _add(source: Path, replace: bool) -> Bundle:
    bundle = read_bundle(source)
    bundle.verify()
    target = user_folder() / bundle.name
    if os.path.lexists(target) and not replace:
        raise ModelError(
            f"There is a model '{bundle.name}' in '{target.parent}' already; remove it first, or replace it with "
            "--replace (in Python: replace=True)."
        )
    make_folder(target.parent)
    with replacing_bundle(target) as temporary:
        for file in (bundle.weights_path, own_file(source, CARD), own_file(source, FACTS)):
            if file.name != CARD or file.is_file():
                shutil.copyfile(file, temporary / file.name)
    return read_bundle(target)


def _delete(folder: Path) -> None:
    """Hide a folder, then delete it, so that a killed run leaves no incomplete model."""
    with temporary_folder(folder.parent) as temporary:
        os.rename(folder, temporary / NEW / folder.name)
