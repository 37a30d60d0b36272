"""Recurrent feature reasoning against the published network, literally: one forward pass at the published size.

Same weights, same images; the two take turns, so that what else the machine does falls on both.
"""

from __future__ import annotations

import time

import torch
from literal_rfr import LiteralRfr

from MedInpaintLib.networks import build

PIXELS, REPEATS = 256, 5


def damaged(batch: int, pixels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise, and what is known of it: a block of half the side is missing."""
    known = torch.ones(batch, 1, pixels, pixels, dtype=torch.bool)
    known[..., pixels // 4 : 3 * pixels // 4, pixels // 4 : 3 * pixels // 4] = False
    return torch.randn(batch, 1, pixels, pixels).tanh(), known


@torch.no_grad()
def main() -> None:
    torch.manual_seed(0)
    network = build("rfr", {"pixels": PIXELS}).train()
    network(*damaged(2, 64))  # statistics of normalisation: with those of the start, numbers vanish on the way
    literal = LiteralRfr(channels=1).weights_of(network.eval().state_dict()).eval()
    print(f"{PIXELS} x {PIXELS} pixels, width 64, 6 recurrences, {torch.get_num_threads()} threads")
    print(f"{'':12} {'batch':>5} {'s':>7} {'ratio':>7}")
    for batch in (1, 2):
        images, known = damaged(batch, PIXELS)
        rivals = {
            "MedInpaint": lambda images=images, known=known: network(images, known),
            "literal": lambda images=images, known=known: literal(images * known, known.float()),
        }
        seconds: dict[str, list[float]] = {name: [] for name in rivals}
        outputs = {}
        for _ in range(REPEATS):
            for name, call in rivals.items():
                start = time.perf_counter()
                outputs[name] = call()
                seconds[name].append(time.perf_counter() - start)
        medians = {name: sorted(each)[REPEATS // 2] for name, each in seconds.items()}
        for name, median in medians.items():
            print(f"{name:12} {batch:5} {median:7.2f} {median / medians['MedInpaint']:6.2f}x")
        difference = (outputs["MedInpaint"] - outputs["literal"]).abs().max()
        print(f"largest difference {difference:.1e}, of outputs up to {outputs['literal'].abs().max():.1e}")


if __name__ == "__main__":
    main()
