"""A program that evaluates an endpoint, to be killed: `python -m ... URL FOLDER COUNT KIND`."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from likeness.service.evaluate.findings import DataFacts
from likeness.service.evaluate.systems.rekognition_system import RekognitionSystem
from likeness.service.evaluate.trials import Plan, PlannedSample
from tests.service.evaluate.fake_endpoint import picture

WORKERS = 4


def audited_plan(folder: Path, count: int, kind: str) -> Plan:
    """Two pictures each of some people; every tenth has no face."""
    samples, digests = [], []
    for number in range(count):
        person = "nobody" if number % 10 == 9 else f"p{number // 2}"
        data = picture(person, number)
        path = folder / f"{number}.jpg"
        path.write_bytes(data)
        digests.append(hashlib.sha256(data).hexdigest())
        samples.append(PlannedSample(path, path.name, person))
    numbers = np.arange(count, dtype=np.int32)
    searched = kind == "search"
    ring = np.stack([numbers, np.roll(numbers, 1)], axis=1)
    return Plan(
        tuple(samples),
        ring[:0] if searched else ring,
        numbers[::2] if searched else numbers[:0],
        numbers[1::2] if searched else numbers[:0],
        DataFacts("d", "1", "", "", "", count, count),
        tuple(digests),
    )


def main() -> None:
    url, folder, count, kind = sys.argv[1:]
    plan = audited_plan(Path(folder), int(count), kind)
    system = RekognitionSystem(
        url,
        "us-east-1",
        1000,
        Path(folder) / "journal",
        lambda cost: print(json.dumps(dict(cost.calls)), flush=True),
        depth=5,
        workers=WORKERS,
    )
    scored = system.score(plan, lambda done, total: None)
    scores = scored.comparisons if scored.searches is None else scored.searches
    print(len(scored.failures), len(scores or ()), flush=True)


if __name__ == "__main__":
    main()
