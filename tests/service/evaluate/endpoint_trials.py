"""What is tried at an endpoint: plans of drawn people, and a system that agrees to any cost."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from likeness.service.evaluate.findings import DataFacts
from likeness.service.evaluate.systems.endpoint.prices import Cost
from likeness.service.evaluate.systems.rekognition_system import RekognitionSystem
from likeness.service.evaluate.trials import Plan, PlannedSample, Scored
from tests.service.evaluate.fake_endpoint import (
    FakeEndpoint,
    picture,
)


def plan_of(
    folder: Path,
    people: Sequence[str],
    pairs: Sequence[tuple[int, int]] | None = (),
    gallery: Sequence[int] = (),
    searches: Sequence[int] = (),
) -> Plan:
    """A plan of one picture for each name; a name that comes again is the same person."""
    folder.mkdir(exist_ok=True)
    samples, digests = [], []
    for number, person in enumerate(people):
        data = picture(person, number)
        path = folder / f"{number}.jpg"
        path.write_bytes(data)
        digests.append(hashlib.sha256(data).hexdigest())
        samples.append(PlannedSample(path, f"{number}.jpg", person, {"sex": "f"}))
    return Plan(
        tuple(samples),
        None if pairs is None else np.array(pairs, np.int32).reshape(-1, 2),
        np.array(gallery, np.int32),
        np.array(searches, np.int32),
        DataFacts("d", "1", "", "", "", len(people), len(set(people))),
        tuple(digests),
    )


class Agreed:
    """Agrees to every cost, and remembers it."""

    def __init__(self) -> None:
        self.costs: list[Cost] = []

    def __call__(self, cost: Cost) -> None:
        self.costs.append(cost)


def score(endpoint: FakeEndpoint, plan: Plan, folder: Path, **chosen: Any) -> Scored:
    chosen = {"confirm": Agreed(), **chosen}
    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, folder / "journal", **chosen)
    return system.score(plan, lambda done, total: None)


PEOPLE = ("anna", "anna", "berta", "carla")
PAIRS = ((0, 1), (0, 2), (2, 3))
