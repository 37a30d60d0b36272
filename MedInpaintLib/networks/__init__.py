"""Networks: layers and architectures only; ``training`` trains them, ``models`` stores them.

Images are float32 ``(B, C, H, W)``. Importing this package does not import torch; :func:`build` does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import MedInpaintError, MissingDependencyError, ParameterError, is_out_of_memory
from .limits import MOST_ARGUMENT, limited

if TYPE_CHECKING:
    from torch import nn

#: Purposes of networks: fill a hole in slices, generate images, estimate a contrast from others, or correct the fill of
#: a volume.
FILLS, GENERATES, ESTIMATES, REFINES = "fills", "generates", "estimates", "refines"


@dataclasses.dataclass(frozen=True)
class Architecture:
    """An entry of :data:`ARCHITECTURES`.

    Attributes:
        source: the class of the network, ``"package.module:Class"``.
        purpose: :data:`FILLS`, :data:`GENERATES`, :data:`ESTIMATES` or :data:`REFINES`.
    """

    source: str
    purpose: str = FILLS


#: Name of an architecture -> its entry; :func:`register` adds to it.
ARCHITECTURES: dict[str, Architecture] = {}


def register(name: str, source: str, purpose: str = FILLS) -> None:
    """Make an architecture known to recipes, trainings and bundles in this process.

    Call it when your package is imported, so that a worker process that unpickles a function of your package knows the
    architecture. A bundle holds only the name, so loading a model never imports unregistered code.

    >>> register("my-net", "my_package.networks:MyNet")  # doctest: +SKIP

    Args:
        name: as in recipes and bundles.
        source: ``"package.module:Class"``, imported when a network is built; the class takes keywords that JSON holds.
        purpose: see :class:`Architecture`. A network that fills derives from :class:`.feed_forward.FeedForward`, a
            network that estimates from :class:`.imputer.Imputer`.

    Raises:
        ParameterError: the name belongs to another class.
    """
    entry = Architecture(source, purpose)
    if ARCHITECTURES.setdefault(name, entry) != entry:
        raise ParameterError(
            f"The architecture '{name}' is '{ARCHITECTURES[name].source}' and cannot be '{source}', too; choose "
            "another name."
        )


def has_purpose(architecture: str, purpose: str) -> bool:
    """Return whether an architecture has this purpose; False if it is not registered.

    >>> has_purpose("collagan", ESTIMATES), has_purpose("unet", ESTIMATES), has_purpose("unheard-of", ESTIMATES)
    (True, False, False)
    """
    return architecture in ARCHITECTURES and ARCHITECTURES[architecture].purpose == purpose


def load_class(source: str) -> Any:
    """Import and return the class at ``"package.module:Class"``."""
    module, name = source.split(":")
    return getattr(importlib.import_module(module), name)


for _name, _source, _purpose in (
    ("boundary-aware", "boundary_aware:BoundaryAware", FILLS),
    ("collagan", "collagan:CollaGan", ESTIMATES),
    ("context-encoder", "context_encoder:ContextEncoder", FILLS),
    ("dcgan", "dcgan:Dcgan", GENERATES),
    ("edge-guided", "edge_guided:EdgeGuided", FILLS),
    ("pconv", "pconv:PConvUNet", FILLS),
    ("rfr", "rfr:RfrNet", FILLS),
    ("unet", "unet:UNet", FILLS),
    ("unet-3d", "unet_3d:UNet3d", REFINES),
    ("vae", "vae:Vae", GENERATES),
):
    register(_name, f"{__name__}.{_source}", _purpose)


def build(architecture: str, arguments: dict[str, Any]) -> nn.Module:
    """Return a network with fresh weights from a name of :data:`ARCHITECTURES` and the arguments of its class.

    Raises:
        ParameterError: no such architecture, or it does not take these arguments.
        MissingDependencyError: PyTorch is not installed.
    """
    if architecture not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        raise ParameterError(f"There is no architecture '{architecture}'; the architectures are: {known}.")
    try:
        import torch
    except ModuleNotFoundError:
        raise MissingDependencyError(
            "Networks need PyTorch, which is not installed; install it with: pip install torch safetensors"
        ) from None
    _check_sizes(architecture, arguments)
    try:
        with limited():
            network = load_class(ARCHITECTURES[architecture].source)(**arguments)
        # With channels last, on a CPU a latent search is 3.2 times faster and a training 1.7 times.
        return network.to(memory_format=getattr(network, "MEMORY_FORMAT", torch.channels_last))
    except MedInpaintError:
        raise
    except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError, AttributeError, AssertionError) as error:
        # One net for all architectures: each has its own idea of widths, levels and kernels.
        if is_out_of_memory(error):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ParameterError(f"Architecture '{architecture}' was given wrong arguments: {reason}.") from None


def outline(architecture: str, arguments: dict[str, Any]) -> nn.Module:
    """Return a network without numbers, on torch's meta device, which takes no memory; as :func:`build` otherwise."""
    with contextlib.suppress(ModuleNotFoundError):  # build says that torch is missing
        import torch

        # Of layers without channels torch warns, which then fail.
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return build(architecture, arguments)
    return build(architecture, arguments)


def _check_sizes(architecture: str, arguments: dict[str, Any]) -> None:
    """Check the numbers that no network has, before a list of a billion layers is made."""
    for name, value in arguments.items():
        for number in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(number, (int, float)) and not abs(number) <= MOST_ARGUMENT:
                raise ParameterError(
                    f"Architecture '{architecture}' was given wrong arguments: {name} = {number!r} is beyond "
                    f"{MOST_ARGUMENT}."
                )
