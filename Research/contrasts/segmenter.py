"""A segmenter of lesions: what a network that learned from true FLAIR finds in an estimated one.

It measures what an estimate is good for. It learned from few people, and mostly from labels by a rule, so its own
agreement with these labels belongs beside every number that it gives.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from MedInpaintLib import networks
from MedInpaintLib.files import make_folder, replacing, write_text
from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.mask import all_marked
from MedInpaintLib.training import tasks
from MedInpaintLib.training.contrast_trial import ContrastTrial
from MedInpaintLib.training.contrasts import ContrastCrops, ContrastSlice
from MedInpaintLib.training.loop import Hardware, train
from MedInpaintLib.training.recipe import Data, Recipe, Schedule
from MedInpaintLib.volume import Volume

from ..shared.cases import fingerprint
from .arms import FLAIR
from .lesions_kept import lesions_by_rule
from .sessions import LEAST_PIXELS, Session, read_sessions

ARCHITECTURE = "lesion-segmenter"
#: The manifest's contrast of masks with all lesions; masks of lesions that changed are not whole.
MASK = "MASK-lesion"
#: The first logit everywhere: lesions are rare, and learning that takes many steps.
RARE = -3.0
WEIGHTS, FACTS = "segmenter.pt", "segmenter.json"


class LesionUNet(nn.Module):
    """A small U-Net from FLAIR, on the scale of :mod:`MedInpaintLib.imputation.core`, to logits of lesions.

    Batch normalisation, unlike that of instances, keeps how bright a slice is, and lesions are what is brighter.
    Ronneberger et al., MICCAI 2015.

    Args:
        pixels: side of the training crops.
        width: channels at full size; each smaller size has twice as many.
        levels: sizes, full size included.

    Shapes: ``(B, 1, H, W)`` to the same, any sides.
    """

    def __init__(self, *, pixels: int, width: int = 8, levels: int = 3) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels)]
        self.down = nn.ModuleList(_block(a, b) for a, b in zip([1, *widths], widths, strict=False))
        self.up = nn.ModuleList(_block(a + b, a) for a, b in itertools.pairwise(widths))
        self.head = nn.Conv2d(width, 1, 1)
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias, RARE)
        self.multiple = 2 ** (levels - 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        height, width = images.shape[2:]
        features = functional.pad(images, (0, -width % self.multiple, 0, -height % self.multiple))
        skips: list[torch.Tensor] = []
        for level, block in enumerate(self.down):
            features = block(functional.max_pool2d(features, 2) if level else features)
            skips.append(features)
        for level in reversed(range(len(self.up))):
            larger = functional.interpolate(features, scale_factor=2.0)
            features = self.up[level](torch.cat([skips[level], larger], dim=1))
        return self.head(features)[..., :height, :width]


def _block(before: int, after: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs in (before, after):
        layers += [nn.Conv2d(inputs, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers)


@dataclasses.dataclass
class SegmenterTask:
    """The loss: mean binary cross entropy, plus 1 less the Dice of the probabilities over the batch.

    Attributes:
        network: the segmenter.
        rate: of Adam.
    """

    network: Any
    rate: float = 3e-3

    def __post_init__(self) -> None:
        self.helpers = nn.ModuleDict()
        self.optimizers = {"network": torch.optim.Adam(self.network.parameters(), lr=self.rate)}

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        """Yield the loss of crops ``(B, 2, H, W)``: FLAIR and label."""
        flair, label = batch[0][:, :1], (batch[0][:, 1:] > 0.5).to(batch[0].dtype)
        logits = self.network(flair)
        share = torch.sigmoid(logits)
        overlap = 2 * (share * label).sum() / (share.sum() + label.sum()).clamp(min=1)
        yield "network", functional.binary_cross_entropy_with_logits(logits, label) + 1 - overlap, {}

    def fill(self, network: nn.Module, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return the probability of lesions."""
        with torch.no_grad():
            return torch.sigmoid(network(images))


networks.register(ARCHITECTURE, f"{__name__}:LesionUNet", "segments")
tasks.register(ARCHITECTURE, f"{__name__}:SegmenterTask")


@dataclasses.dataclass(frozen=True)
class Segmenter:
    """A trained segmenter, kept in a folder.

    Attributes:
        folder: with its weights.
        facts: steps, minutes and parameters; from how many people it learned by masks and by the rule; and the Dice of
            rule and mask for each person with a mask.
    """

    folder: Path
    facts: Mapping[str, Any]

    @property
    def identity(self) -> str:
        """A hash of the weights."""
        return hashlib.sha256((self.folder / WEIGHTS).read_bytes()).hexdigest()[:8]

    def lesions(self, flair: np.ndarray, session: Session) -> np.ndarray:
        """Return where the segmenter sees a lesion in the brain, bool.

        Args:
            flair: true or estimated, of the session's shape, on the scale of the core.
            session: whose brain and axial slices these are.
        """
        network = networks.build(ARCHITECTURE, _arguments()).eval()
        network.load_state_dict(torch.load(self.folder / WEIGHTS, weights_only=True))
        with torch.inference_mode():
            slices = torch.from_numpy(np.ascontiguousarray(session.turned.turn(flair), dtype=np.float32))
            found = [network(each[None, None].clamp(-1, 1))[0, 0] > 0 for each in slices]
        return session.turned.back(torch.stack(found).numpy()) & session.inside


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Dice coefficient of two bool arrays of one shape; 1 where both are empty.

    >>> dice(np.array([True, True, False]), np.array([True, False, False]))
    0.6666666666666666
    """
    together = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / together if together else 1.0


def segmenter(data: Path, runs: Path, steps: int, accelerator: str = "cpu") -> Segmenter:
    """Return the segmenter of these data, training it first where ``runs`` does not hold it."""
    recipe = recipe_of(steps)
    folder = runs / f"contrasts-{ARCHITECTURE}-{steps}-steps-{fingerprint(data, 'MR')}"
    if not (folder / FACTS).is_file():
        make_folder(folder)
        masks = {
            each.subject: all_marked(Volume.of(each.path)) for each in read_manifest(data) if each.contrast == MASK
        }
        learning = read_sessions(data, "train")
        crops = ContrastCrops(labelled(learning, masks), recipe.pixels, recipe.schedule.seed)
        trial = _trial(labelled(read_sessions(data, "val"), masks), recipe)
        trained = train(recipe, crops, trial, folder, hardware=Hardware(accelerator))
        with replacing(folder / WEIGHTS) as temporary:
            torch.save(trained.network.state_dict(), temporary)
        subjects = {each.subject for each in learning}
        facts = {
            "steps": steps,
            "minutes": round(trained.seconds / 60, 1),
            "parameters": sum(each.numel() for each in trained.network.parameters()),
            "people by mask": len(subjects & masks.keys()),
            "people by rule": len(subjects - masks.keys()),
            "rule against mask": [
                round(dice(_rule(each), masks[each.subject]), 2) for each in learning if each.subject in masks
            ],
        }
        write_text(folder / FACTS, json.dumps(facts) + "\n")
    return Segmenter(folder, json.loads((folder / FACTS).read_text(encoding="utf-8")))


def _arguments() -> dict[str, int]:
    return {"pixels": 96, "width": 8, "levels": 3}


def recipe_of(steps: int) -> Recipe:
    """Return the settings of the training."""
    return Recipe(
        name="lesion-segmenter",
        title="Lesions in FLAIR",
        architecture=ARCHITECTURE,
        arguments=_arguments(),
        data=Data(modality="MR", contrasts=(FLAIR,), centre=0.0, half_width=1.0),
        schedule=Schedule(steps=steps, batch=8, ema=0.97, check_every=max(1, steps // 10), crops=24),
    )


def labelled(learning: Sequence[Session], masks: Mapping[str, np.ndarray]) -> list[ContrastSlice]:
    """Return the slices of FLAIR, each with its label as a second channel: by a mask, or else by the rule.

    Args:
        learning: sessions. Pixels stay as they are; those of the study's data are 1 mm wide.
        masks: subject -> bool, the lesions.
    """
    slices = []
    for each in learning:
        label = masks[each.subject] if each.subject in masks else _rule(each)
        stacks = [each.turned.turn(array) for array in (each.scaled[FLAIR], label, each.inside)]
        slices += [
            ContrastSlice(np.stack([flair, lesion]).astype(np.float16), np.ones(2, dtype=bool), inside, each.subject)
            for flair, lesion, inside in zip(*stacks, strict=True)
            if inside.sum() >= LEAST_PIXELS
        ]
    return slices


def _rule(session: Session) -> np.ndarray:
    return lesions_by_rule(session.scaled[FLAIR], session.inside, session.volumes[FLAIR].spacing)


@dataclasses.dataclass(frozen=True)
class LabelTrial(ContrastTrial):
    """Slices with labels of lesions."""

    def psnr(self, filled: torch.Tensor) -> float:
        """Return ``-10 log10(1 - Dice)`` of what is likelier a lesion than not, over all slices together.

        Lesions are 1 % of the brain of who is held out: by the error of probabilities the best segmenter finds nothing.
        """
        overlap = dice((filled[self.inside] > 0.5).numpy(force=True), (self.truth[self.inside] > 0.5).numpy(force=True))
        return -10 * math.log10(max(1 - overlap, 1e-8))


def _trial(slices: Sequence[ContrastSlice], recipe: Recipe) -> LabelTrial:
    """Return slices from all through the held-out volumes."""
    some = [slices[round(at)] for at in np.linspace(0, len(slices) - 1, min(recipe.schedule.crops, len(slices)))]
    shape = tuple(max(each.inside.shape[axis] for each in some) for axis in (0, 1))
    pairs = [each.window((each.inside.shape[0] // 2, each.inside.shape[1] // 2), (shape[0], shape[1])) for each in some]
    values, inside = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*pairs, strict=True))
    return LabelTrial(
        images=recipe.data.normalise(values[:, :1]),
        known=torch.ones(len(some), 2, dtype=torch.bool),
        truth=values[:, 1:],
        inside=inside[:, None],
        start=torch.zeros_like(values[:, 1:]),
        words=f"{len(some)} slices",
        rows="nothing, segmented, label",
    )
