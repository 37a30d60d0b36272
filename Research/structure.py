"""The study `structure`: context encoder, edge-guided and boundary-aware networks against U-Net, PConv and RFR."""

from __future__ import annotations

from typing import Any

from .shared.comparison import BASE, Comparison
from .shared.study import RELEASED, Arm, Condition, Study

#: Label -> architecture.
NETWORKS = {
    "U-Net": "unet",
    "PConv": "pconv",
    "RFR": "rfr",
    "context encoder": "context-encoder",
    "edge-guided": "edge-guided",
    "boundary-aware": "boundary-aware",
}
#: The last word of a label of a network that learns with an adversarial loss, too.
GAN = "GAN"
#: Weight of the adversarial loss beside 3 for the RMSE; the discriminator is ten times slower, as in EdgeConnect.
ADVERSARIAL: dict[str, Any] = {"adversarial": 0.1, "discriminator_rate": 0.1}
CONDITIONS = {"Squares of 32 px": "squares:32px:2", "Strips of 16 px": "strips:16px"}

WITH_GAN = {label: f"{label}, {GAN}" for label in NETWORKS if label != "PConv"}


def _arms() -> tuple[Arm, ...]:
    plain = (Arm(label, architecture, holes=()) for label, architecture in NETWORKS.items())
    gans = (
        Arm(adversarial, NETWORKS[label], holes=(), task=tuple(ADVERSARIAL.items()))
        for label, adversarial in WITH_GAN.items()
    )
    return (*plain, *gans)


_PAIRS = (
    *((label, BASE) for label in NETWORKS),
    *((label, "U-Net") for label in NETWORKS if label != "U-Net"),
    *((label, "RFR") for label in ("context encoder", "edge-guided", "boundary-aware")),
    *((adversarial, label) for label, adversarial in WITH_GAN.items()),
)

STUDY = Study(
    name="structure",
    title="Do networks that know of edges and boundaries fill better?",
    question="Six networks of about equal size learn from the same films in as many steps: U-Net, partial "
    "convolutions, recurrent feature reasoning, a context encoder, one that completes edges first, and one that also "
    "learns boundaries; five of them also with an adversarial loss.",
    arms=_arms(),
    conditions=tuple(Condition(label, holes, shown=tuple(NETWORKS)) for label, holes in CONDITIONS.items()),
    comparisons=tuple(Comparison(condition, first, second) for condition in CONDITIONS for first, second in _PAIRS),
    hint=True,
    sizes=RELEASED,
)
