"""Made-up systems with known error rates, so that findings can be held against the truth."""

from pathlib import Path

import numpy as np

from likeness.evaluation import FAILED, Comparisons
from likeness.service.evaluate.findings import DataFacts, SystemFacts
from likeness.service.evaluate.trials import Plan, PlannedSample, Scored

NONE = np.empty(0, np.int32)


def scored(
    people: int = 60,
    pictures: int = 3,
    *,
    shift: float = 0.0,
    failed: tuple[int, ...] = (),
    seed: int = 0,
    identities: bool = True,
) -> Scored:
    """Score every pair of a population whose second half, group b, has strangers more alike."""
    random = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(people, dtype=np.int32), pictures)
    groups = ["a" if subject < people // 2 else "b" for subject in subjects]
    planned = tuple(
        PlannedSample(
            Path(f"{number}.jpg"),
            f"{number}.jpg",
            str(subject) if identities else str(number),
            {"group": group, "half": "odd" if subject % 2 else "even"},
        )
        for number, (subject, group) in enumerate(zip(subjects, groups, strict=True))
    )
    data = DataFacts(
        "made up", "1", "made up", "nobody", "0" * 64, len(planned), people, identities
    )
    plan = Plan(planned, None, NONE, NONE, data, ("0" * 64,) * len(planned))
    lost = np.zeros(len(planned), np.bool_)
    lost[list(failed)] = True
    samples = plan.counted(lost)
    one, other = np.triu_indices(len(planned), 1)
    mated = samples.subjects[one] == samples.subjects[other]
    scores = random.normal(np.where(mated, 4.0, 0.0)).astype(np.float32)
    both = (np.array(groups)[one] == "b") & (np.array(groups)[other] == "b")
    scores[both & ~mated] += shift
    scores[lost[one] | lost[other]] = FAILED
    compared = Comparisons(scores, one.astype(np.int32), other.astype(np.int32), mated)
    return Scored(
        SystemFacts("made up", "scores", "1"),
        plan,
        samples,
        compared,
        None,
        tuple((number, "no face found") for number in failed),
        random.uniform(0.1, 0.2, len(planned)),
    )
