"""What a template depends on: two networks, to the byte, and how a face is laid before them.

A model's name is kept with everything that is made with it. It is never taken apart to find out
what it stands for: the names of what is known here are made and compared with it, so that other
weights under the same name are another model.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from likeness.errors import required
from likeness.vision.embed import ChipLayout, Chips
from likeness.vision.models.cards import ModelCard
from likeness.vision.networks.forms import RECOGNISERS, Task

_DIGEST_DIGITS = 8


@dataclass(frozen=True, slots=True)
class TemplateModel:
    """All that a template depends on, to the byte of the weights."""

    recogniser: ModelCard
    detector: ModelCard
    chips: Chips

    @property
    def name(self) -> str:
        """What templates, cohorts and collections call it."""
        return "+".join(
            [
                _pinned(self.recogniser),
                _pinned(self.detector),
                # Landmarks are found again in upright pictures before chips are laid out.
                f"upright-mirrored-{self.layout.name}",
                self.chips.name.lower(),
            ]
        )

    @property
    def layout(self) -> ChipLayout:
        """How the recogniser's chips are laid out."""
        return RECOGNISERS[self.recogniser.form].layout

    @property
    def dimensions(self) -> int:
        """The length of a template."""
        return required(self.recogniser.dimensions, "the dimensions on a recogniser's card")


def find_template_model(name: str, cards: Iterable[ModelCard]) -> TemplateModel | None:
    """Find what a model's name stands for among models that are known; None where nothing does."""
    known = list(cards)
    recognisers = [card for card in known if card.task is Task.RECOGNISER]
    detectors = [card for card in known if card.task is Task.DETECTOR]
    for recogniser, detector, chips in product(recognisers, detectors, Chips):
        model = TemplateModel(recogniser, detector, chips)
        if model.name == name:
            return model
    return None


def recogniser_of(name: str) -> str:
    """Give what a model's name calls its recogniser, to be shown and for nothing else."""
    return name.partition("@")[0]


def _pinned(card: ModelCard) -> str:
    return f"{card.name}@{card.digest[:_DIGEST_DIGITS]}"
