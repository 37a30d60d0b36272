"""Networks with frozen weights that compute features for losses."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

from ..errors import MissingDependencyError, ModelError, ParameterError
from .convolutional import LEVELS, Encoder

#: The convolutions of VGG16 up to its third pooling: number in torchvision's ``features``, and channels.
VGG16 = (
    ((0, 3, 64), (2, 64, 64)),
    ((5, 64, 128), (7, 128, 128)),
    ((10, 128, 256), (12, 256, 256), (14, 256, 256)),
)
VGG16_FILE = "https://download.pytorch.org/models/vgg16-397923af.pth"


class Features(nn.Module):
    """Sequence of stages, each with a level of features as output.

    Frozen and always in eval mode, but gradients flow to the images.

    Shapes: ``(B, 1, H, W)`` to a list of ``(B, C, H / 2^n, W / 2^n)``, n = 1, 2, ...
    """

    def __init__(self, stages: Iterable[nn.Module]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Features:
        """Stay in eval mode, even as part of a module that is set to train."""
        return super().train(False)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        levels = []
        for stage in self.stages:
            images = stage(images)
            levels.append(images)
        return levels


class EncoderFeatures(Features):
    """The first levels of a trained encoder, each after its activation.

    Args:
        encoder: for example of a VAE with the weights of a bundle; it is copied.
        levels: 1..4.
    """

    def __init__(self, encoder: Encoder, levels: int = 3) -> None:
        if not 1 <= levels <= LEVELS:
            raise ParameterError(f"Features are of 1..{LEVELS} levels of an encoder; found {levels}.")
        stages: list[list[nn.Module]] = [[]]
        for layer in copy.deepcopy(encoder.features):
            stages[-1].append(layer)
            if isinstance(layer, nn.LeakyReLU):
                stages.append([])
        super().__init__(nn.Sequential(*stage) for stage in stages[:levels])


class Vgg16Features(Features):
    """VGG16's first, second and third pooling: 64, 128 and 256 channels, trained on ImageNet's photographs.

    Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition, ICLR 2015. Images of -1..1
    become 0..1, grey becomes three equal channels, normalised as torchvision's weights expect it.

    Args:
        path: the weights, which are not part of MedInpaint: torchvision's file (:data:`VGG16_FILE`), or one with the
            same names in safetensors' format.

    Raises:
        ModelError: there is no such file, or it does not hold the weights of VGG16.
    """

    mean: torch.Tensor
    sd: torch.Tensor

    def __init__(self, path: str | os.PathLike[str]) -> None:
        weights = _vgg16_weights(Path(path))
        stages = []
        for stage in VGG16:
            layers: list[nn.Module] = []
            for number, before, after in stage:
                convolution = nn.Conv2d(before, after, 3, padding=1)
                convolution.load_state_dict({name: weights[f"features.{number}.{name}"] for name in ("weight", "bias")})
                layers += [convolution, nn.ReLU()]
            stages.append(nn.Sequential(*layers, nn.MaxPool2d(2)))
        super().__init__(stages)
        for name, values in {"mean": (0.485, 0.456, 0.406), "sd": (0.229, 0.224, 0.225)}.items():
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        return super().forward(((images + 1) / 2 - self.mean) / self.sd)


def _vgg16_weights(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise ModelError(f"There is no file '{path}' with the weights of VGG16; download {VGG16_FILE}.")
    weights = _read(path)
    expected_shapes: dict[str, tuple[int, ...]] = {}
    for number, before, after in (each for stage in VGG16 for each in stage):
        expected_shapes |= {f"features.{number}.weight": (after, before, 3, 3), f"features.{number}.bias": (after,)}
    shapes = {name: tuple(each.shape) for name, each in weights.items() if isinstance(each, torch.Tensor)}
    wrong = [name for name, shape in expected_shapes.items() if shapes.get(name) != shape]
    # VGG19 begins like VGG16 but has another convolution in place of the third pooling.
    wrong += [name for name in shapes if name == "features.16.weight"]
    if wrong:
        raise ModelError(
            f"The file '{path}' does not hold the weights of VGG16, see '{wrong[0]}'; download {VGG16_FILE}."
        )
    return {name: weights[name].float() for name in expected_shapes}


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load

            return load(path.read_bytes())
        content = torch.load(path, map_location="cpu", weights_only=True)
    except ImportError:
        raise MissingDependencyError(f"'{path}' needs safetensors; install it with: pip install safetensors") from None
    except Exception as error:  # it is not documented what torch and safetensors raise for foreign files
        kind = type(error).__name__
        raise ModelError(f"The weights '{path}' cannot be read ({kind}); download {VGG16_FILE}.") from None
    return content if isinstance(content, dict) else {}
