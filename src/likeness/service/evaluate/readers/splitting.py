"""Split a plan into a gallery and searches of it, for 1:N figures."""

from collections import defaultdict
from dataclasses import replace

import numpy as np

from likeness.errors import InvalidRequest
from likeness.service.evaluate.trials import Plan


def split_for_searches(
    plan: Plan, *, unenrolled: float = 0.0, references: int = 1, seed: int = 0
) -> Plan:
    """Choose whom to enrol and what to search with; the same seed chooses the same.

    Of everybody enrolled so many `references` are, drawn at random, and all other pictures are
    searched with; a person with one picture is only enrolled. All pictures of the people who are
    not enrolled are searched with, and should find nobody.

    Args:
        plan: what there is; its pairs stay.
        unenrolled: the share of people to leave out of the gallery, 0 (a closed set) to below 1.
        references: pictures of each person to enrol, at least one less than there are.
        seed: what the draw starts from.

    Raises:
        InvalidRequest: the numbers make no sense, or nobody is left to enrol or to search for.
    """
    if not 0 <= unenrolled < 1 or references < 1 or seed < 0:
        raise InvalidRequest(
            f"Not a split: {unenrolled:g} of the people not enrolled, {references} pictures each,"
            f" seed {seed}. Give a share below 1, a picture or more, and a seed from 0."
        )
    people: dict[str, list[int]] = defaultdict(list)
    for number in sorted(range(len(plan.samples)), key=lambda n: plan.samples[n].name):
        people[plan.samples[number].subject].append(number)
    draw = np.random.default_rng(seed)
    names = sorted(people)
    outside = {
        names[n] for n in draw.permutation(len(names))[: round(unenrolled * len(names))].tolist()
    }
    gallery: list[int] = []
    searches: list[int] = []
    for name in names:
        numbers = draw.permutation(people[name]).tolist()
        enrolled = 0 if name in outside else max(1, min(references, len(numbers) - 1))
        gallery += numbers[:enrolled]
        searches += numbers[enrolled:]
    if not gallery or not searches:
        raise InvalidRequest(
            f"{len(people)} people with {len(plan.samples)} pictures leave nobody to enrol or"
            " nothing to search with. Give people with two pictures, or leave some not enrolled."
        )
    each = "1 picture each" if references == 1 else f"up to {references} pictures each"
    split = (
        f"{len(names) - len(outside):,} people enrolled with {each}, drawn at random; searches with"
        f" the {len(searches):,} other pictures, {len(outside):,} people not enrolled; seed {seed}"
    )
    return replace(
        plan,
        gallery=np.array(sorted(gallery), np.int32),
        searches=np.array(sorted(searches), np.int32),
        split=split,
    )
