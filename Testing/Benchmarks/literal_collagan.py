"""CollaGAN's networks of the authors' MR training, literally: the truth for tests.

Lee et al., CVPR 2019, as the authors' code for four MR contrasts has them (https://github.com/jongcye/CollaGAN_MRI,
generator ``UnetINDiv4_CCAM``), step by step: four encoders one after the other, a layer for each line, skip connections
before the features from below, normalisation and attention written out.
"""

from __future__ import annotations

import re
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

BRANCHES = "abcd"


def leaky(features: torch.Tensor) -> torch.Tensor:
    """Return the features, those below 0 a fifth of what they were."""
    return torch.maximum(features, 0.2 * features)


class LiteralBlock(nn.Module):
    """A convolution of 3 x 3 with bias, instance normalisation with scale and shift, leaky ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3, padding=1)
        self.scale, self.shift = nn.Parameter(torch.ones(after)), nn.Parameter(torch.zeros(after))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        features = self.convolution(features)
        mean = features.mean(dim=(2, 3), keepdim=True)
        variance = (features - mean).square().mean(dim=(2, 3), keepdim=True)
        normal = (features - mean) / torch.sqrt(variance + 1e-6)
        return leaky(normal * self.scale[:, None, None] + self.shift[:, None, None])


class LiteralAttention(nn.Module):
    """Channels weighed by three layers on the wanted contrast and the means of the channels."""

    def __init__(self, channels: int, contrasts: int) -> None:
        super().__init__()
        self.first = nn.Linear(contrasts + channels, channels // 4)
        self.second = nn.Linear(channels // 4, channels // 4)
        self.third = nn.Linear(channels // 4, channels)

    def forward(self, wanted: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        hidden = leaky(self.first(torch.cat([wanted, features.mean(dim=(2, 3))], dim=1)))
        weights = 1 / (1 + torch.exp(-self.third(leaky(self.second(hidden)))))
        return features * weights[:, :, None, None]


class LiteralGenerator(nn.Module):
    """Four images, the wanted one 0, and its number as four planes of 0 or 1: ``(B, 8, H, W)`` to ``(B, 1, H, W)``.

    Args:
        n: 64 in the authors' training; each encoder has a quarter of it at full size.
    """

    def __init__(self, n: int = 64) -> None:
        super().__init__()
        for branch in BRANCHES:
            self.add_module(f"{branch}0_1", LiteralBlock(1 + 4, n // 4))
            self.add_module(f"{branch}0_2", LiteralBlock(n // 4, n // 4))
            for level in (1, 2, 3):
                before, after = n // 4 * 2 ** (level - 1), n // 4 * 2**level
                self.add_module(f"{branch}{level}_pool", nn.Conv2d(before, after, 2, 2, bias=False))
                self.add_module(f"{branch}{level}_1", LiteralBlock(after, after))
                self.add_module(f"{branch}{level}_2", LiteralBlock(after, after))
            self.add_module(f"{branch}4_pool", nn.Conv2d(2 * n, 4 * n, 2, 2, bias=False))
        self.lv4_1, self.lv4_2 = LiteralBlock(16 * n, 16 * n), LiteralBlock(16 * n, 16 * n)
        self.lv4_attention, self.lv4_up = LiteralAttention(16 * n, 4), nn.ConvTranspose2d(16 * n, 8 * n, 2, 2)
        self.lv3_1, self.lv3_2 = LiteralBlock(16 * n, 8 * n), LiteralBlock(8 * n, 8 * n)
        self.lv3_attention, self.lv3_up = LiteralAttention(8 * n, 4), nn.ConvTranspose2d(8 * n, 4 * n, 2, 2)
        self.lv2_1, self.lv2_2 = LiteralBlock(8 * n, 4 * n), LiteralBlock(4 * n, 4 * n)
        self.lv2_attention, self.lv2_up = LiteralAttention(4 * n, 4), nn.ConvTranspose2d(4 * n, 2 * n, 2, 2)
        self.lv1_1, self.lv1_2 = LiteralBlock(4 * n, 2 * n), LiteralBlock(2 * n, 2 * n)
        self.lv1_attention, self.lv1_up = LiteralAttention(2 * n, 4), nn.ConvTranspose2d(2 * n, n, 2, 2)
        self.lv0_1, self.lv0_2 = LiteralBlock(2 * n, n), LiteralBlock(n, n)
        self.last = nn.Conv2d(n, 1, 1, bias=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        planes, wanted = inputs[:, 4:], inputs[:, 4:, 0, 0]
        skips: dict[str, torch.Tensor] = {}
        for number, branch in enumerate(BRANCHES):
            features = torch.cat([inputs[:, number : number + 1], planes], dim=1)
            for level in range(4):
                if level:
                    features = self.get_submodule(f"{branch}{level}_pool")(features)
                features = self.get_submodule(f"{branch}{level}_1")(features)
                features = self.get_submodule(f"{branch}{level}_2")(features)
                skips[f"{branch}{level}"] = features
            skips[f"{branch}4"] = self.get_submodule(f"{branch}4_pool")(features)

        def joined(level: int) -> torch.Tensor:
            return torch.cat([skips[f"{branch}{level}"] for branch in BRANCHES], dim=1)

        features = self.lv4_attention(wanted, self.lv4_2(self.lv4_1(joined(4))))
        features = self.lv3_2(self.lv3_1(torch.cat([joined(3), self.lv4_up(features)], dim=1)))
        features = self.lv3_attention(wanted, features)
        features = self.lv2_2(self.lv2_1(torch.cat([joined(2), self.lv3_up(features)], dim=1)))
        features = self.lv2_attention(wanted, features)
        features = self.lv1_2(self.lv1_1(torch.cat([joined(1), self.lv2_up(features)], dim=1)))
        features = self.lv1_attention(wanted, features)
        features = self.lv0_2(self.lv0_1(torch.cat([joined(0), self.lv1_up(features)], dim=1)))
        return self.last(features).clamp(min=0)

    def weights_of(self, state: dict[str, torch.Tensor]) -> LiteralGenerator:
        """Return itself, with all weights of a :class:`CollaGan` of the published layout."""
        own: dict[str, torch.Tensor] = {}
        for name, value in state.items():
            own |= _renamed(name.removeprefix("unet."), value)
        self.load_state_dict(own)
        return self


def _renamed(name: str, value: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return an entry of ``ContrastUNet``'s state as the entries of the literal generator."""
    part, number, rest = re.fullmatch(r"([a-z]+)\.?(\d*)\.(.+)", name).groups()  # type: ignore[union-attr]
    if part == "head":
        return {f"last.{rest}": value}
    level = int(number)
    if part == "attend":
        _, layer, kind = rest.split(".")
        return {f"lv{level + 1}_attention.{ {'0': 'first', '2': 'second', '4': 'third'}[layer] }.{kind}": value}
    if part == "enlarge":
        return {f"lv{level + 1}_up.{rest}": value}
    if part == "shrink":
        return {f"{branch}{level + 1}_pool.{rest}": value.chunk(4)[n] for n, branch in enumerate(BRANCHES)}
    layer, kind = rest.split(".")
    position, of_convolution = {"0": (1, True), "1": (1, False), "3": (2, True), "4": (2, False)}[layer]
    entry = f"{position}.convolution.{kind}" if of_convolution else f"{position}.{_SCALES[kind]}"
    if part == "down" and level < 4:
        return {f"{branch}{level}_{entry}": value.chunk(4)[n] for n, branch in enumerate(BRANCHES)}
    if part == "up" and entry == "1.convolution.weight":
        # Ours has the features from below first, which are half of the channels.
        value = torch.cat(list(reversed(value.chunk(2, dim=1))), dim=1)
    return {f"lv{level}_{entry}": value}


_SCALES = {"weight": "scale", "bias": "shift"}


class LiteralDiscriminator(nn.Module):
    """An image ``(B, 1, H, W)`` to judged patches ``(B, 1, h, w)`` and four contrasts ``(B, 4)``.

    Args:
        n: 4 in the authors' training.
        last: side of the last convolution: 5 for 240 pixels, so that one number remains for each contrast.
    """

    #: The parts -> those of the published ``ContrastDiscriminator``.
    PARTS: ClassVar[dict[str, str]] = {
        "p1_1": "paths.0.0",
        "p1_2": "paths.0.2",
        "p1_3": "paths.0.4",
        "p1_out": "paths.0.6",
        "p2_1": "paths.1.0",
        "p2_2": "paths.1.2",
        "p2_3": "paths.1.4",
        "p3_in": "paths.2.0",
        "p3_1": "paths.2.1",
        "p3_2": "paths.2.3",
        "p3_out": "paths.2.5",
        "cat_1": "together.0",
        "cat_2": "together.2",
        "real": "real_head",
        "cat_3": "domain_head.0",
        "domain": "domain_head.2",
    }

    def __init__(self, n: int = 4, last: int = 5) -> None:
        super().__init__()
        self.p1_1, self.p1_2 = nn.Conv2d(1, n, 3, 1, 1), nn.Conv2d(n, n, 3, 1, 1)
        self.p1_3, self.p1_out = nn.Conv2d(n, n, 3, 1, 1), nn.Conv2d(n, 4 * n, 4, 4, bias=False)
        self.p2_1, self.p2_2 = nn.Conv2d(1, n, 3, 1, 1), nn.Conv2d(n, 2 * n, 3, 1, 1)
        self.p2_3 = nn.Conv2d(2 * n, 4 * n, 3, 1, 1)
        self.p3_in, self.p3_1 = nn.Conv2d(1, 4 * n, 4, 4, bias=False), nn.Conv2d(4 * n, 4 * n, 3, 1, 1)
        self.p3_2, self.p3_out = nn.Conv2d(4 * n, 4 * n, 3, 1, 1), nn.Conv2d(4 * n, 4 * n, 3, 1, 1)
        self.cat_1 = nn.Conv2d(12 * n, 8 * n, 4, 2, bias=False)
        self.cat_2 = nn.Conv2d(8 * n, 16 * n, 4, 2, bias=False)
        self.real = nn.Conv2d(16 * n, 1, 3, bias=False)
        self.cat_3 = nn.Conv2d(16 * n, 32 * n, 4, 2, bias=False)
        self.domain = nn.Conv2d(32 * n, 4, last, bias=False)

    def forward(
        self,
        image: torch.Tensor,
        kept_for_real: torch.Tensor | float = 0.5,
        kept_for_domain: torch.Tensor | float = 0.5,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return both outputs; of training, where half of the features are kept (1) and doubled, and the rest are 0."""
        one = self.p1_out(leaky(self.p1_3(leaky(self.p1_2(leaky(self.p1_1(image)))))))
        two = functional.max_pool2d(self.p2_1(image), 2)
        two = leaky(self.p2_3(functional.max_pool2d(self.p2_2(two), 2)))
        three = self.p3_out(leaky(self.p3_2(leaky(self.p3_1(self.p3_in(image))))))
        features = leaky(self.cat_2(leaky(self.cat_1(torch.cat([one, two, three], dim=1)))))
        of_contrast = leaky(self.cat_3(features))
        return self.real(features * kept_for_real / 0.5), self.domain(of_contrast * kept_for_domain / 0.5)[:, :, 0, 0]

    def weights_of(self, state: dict[str, torch.Tensor]) -> LiteralDiscriminator:
        """Return itself, with all weights of a :class:`ContrastDiscriminator` of the published layout."""
        theirs = {theirs: own for own, theirs in self.PARTS.items()}
        own = {}
        for name, value in state.items():
            part, _, kind = name.rpartition(".")
            own[f"{theirs[part]}.{kind}"] = value
        self.load_state_dict(own)
        return self
