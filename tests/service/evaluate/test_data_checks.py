"""Are copies and label errors found in the data, and is nothing found where there is nothing?"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.lfw import ERRONEOUS_PAIRS, ERRONEOUS_PICTURES, LABEL_ERRORS
from likeness.app import Workload
from likeness.config import Settings
from likeness.evaluation import Comparisons
from likeness.library import open_likeness
from likeness.service.evaluate.data_checks import MOST_LISTED, suspicions_of
from likeness.service.evaluate.findings import DataFacts, Suspicion, SystemFacts
from likeness.service.evaluate.readers import plan_of_people
from likeness.service.evaluate.systems.own_system import OwnSystem
from likeness.service.evaluate.trials import Plan, PlannedSample, Scored
from likeness.vision.decode import DEFAULT_LIMITS

SUBJECTS, EACH = 60, 3


def scored(
    kind: str = "scores",
    wrong: dict[int, int] | None = None,
    copies: tuple[tuple[int, int], ...] = (),
    subjects: int = SUBJECTS,
    has_identities: bool = True,
) -> Scored:
    """Score a population of which picture n is of person n // EACH; `wrong` pictures of another.

    `copies` are pairs of pictures that are one.
    """
    draw = np.random.default_rng(1)
    true = np.arange(subjects * EACH) // (EACH if has_identities else 1)
    said = true.copy()
    for picture, person in (wrong or {}).items():
        true[picture] = person
    samples = tuple(
        PlannedSample(Path(f"{n}"), f"{n}.jpg", f"person {one}" if has_identities else f"{n}.jpg")
        for n, one in enumerate(said.tolist())
    )
    none = np.empty(0, np.int32)
    data = DataFacts("people", "1", "", "", "", len(samples), subjects, has_identities)
    plan = Plan(samples, None, none, none, data, ("",) * len(samples))
    references, probes = (side.astype(np.int32) for side in np.triu_indices(len(samples), 1))
    scores = np.where(
        true[references] == true[probes],
        draw.normal(-0.3, 0.08, len(references)).clip(max=-0.08),
        draw.normal(-1, 0.09, len(references)),
    )
    for pair in copies:
        scores[(references == pair[0]) & (probes == pair[1])] = -0.01
    counted = plan.counted(np.zeros(len(samples), bool))
    mated = counted.subjects[references] == counted.subjects[probes]
    found = Comparisons(scores.astype(np.float32), references, probes, mated)
    system = SystemFacts("it", kind, "1")
    return Scored(system, plan, counted, found, None, (), np.zeros(len(samples)))


def told(found: tuple[Suspicion, ...]) -> set[tuple[str, str, str]]:
    return {(one.kind, one.first, one.second) for one in found}


def test_nothing_is_found_where_labels_are_right() -> None:
    assert suspicions_of(scored()) == ()
    assert suspicions_of(scored("likeness")) == ()
    assert suspicions_of(scored(has_identities=False, subjects=90)) == ()


def test_a_person_under_two_names_is_found() -> None:
    # The pictures 15 to 17 are said to be of person 5, and are of person 4.
    found = suspicions_of(scored(wrong={15: 4, 16: 4, 17: 4}))
    (one,) = found
    assert one.kind == "one-person-twice"
    assert "'person 4' and 'person 5'" in one.says and "pairs do" in one.says


def test_a_picture_of_somebody_else_is_found() -> None:
    found = suspicions_of(scored(wrong={16: 4}))
    kinds = {one.kind: one for one in found}
    assert "16.jpg" in (kinds["one-person-twice"].first, kinds["one-person-twice"].second)
    assert kinds["two-people"].first == "16.jpg"
    assert "2 of its 2 pairs with pictures of 'person 5' do" in kinds["two-people"].says


@pytest.mark.parametrize("kind", ["likeness", "scores"])
def test_copies_are_found_by_their_scores(kind: str) -> None:
    found = suspicions_of(scored(kind, copies=((0, 9),)))
    assert ("duplicate", "0.jpg", "9.jpg") in told(found)
    own = told(suspicions_of(scored(kind, copies=((0, 1),))))
    assert own == ({("duplicate", "0.jpg", "1.jpg")} if kind == "likeness" else set())


def test_without_identities_strangers_who_stand_out_are_found() -> None:
    found = suspicions_of(scored(has_identities=False, subjects=90, copies=((0, 9),)))
    assert told(found) >= {("one-person-twice", "0.jpg", "9.jpg")}


def test_a_long_list_is_cut_and_says_so() -> None:
    wrong = {n * EACH: (n + 1) % 150 for n in range(150)}
    found = [
        one for one in suspicions_of(scored(wrong=wrong, subjects=150)) if one.kind == "two-people"
    ]
    assert len(found) == MOST_LISTED
    assert "no more are listed" in found[-1].says


def test_failures_and_tiny_data_are_no_suspicion() -> None:
    one = scored(subjects=2)
    assert one.comparisons is not None
    failed: NDArray[np.floating] = np.full(len(one.comparisons), -np.inf)
    comparisons = one.comparisons
    none = Comparisons(failed, comparisons.references, comparisons.probes, comparisons.mated)
    assert suspicions_of(one) == ()
    nothing = Scored(one.system, one.plan, one.samples, none, None, (), one.seconds)
    assert suspicions_of(nothing) == ()


@pytest.mark.models
def test_the_known_label_errors_of_lfw_are_found(
    shared_data: Callable[[str], Path], cache_dir: Path, tmp_path: Path
) -> None:
    images = shared_data("lfw_view1") / "images"
    people = {name for pair in LABEL_ERRORS for name in pair}
    people |= {picture[:-5] for pair in ERRONEOUS_PAIRS for picture in pair}
    people |= {picture[:-5] for picture in ERRONEOUS_PICTURES}
    several = [one.name for one in sorted(images.iterdir()) if len(list(one.iterdir())) == 3]
    for name in people | set(several[:25]):
        (tmp_path / "people").mkdir(exist_ok=True)
        (tmp_path / "people" / name).symlink_to(images / name)
    likeness = open_likeness(
        Settings(cache=cache_dir, home=tmp_path / "home"), workload=Workload.MANY
    )
    system = OwnSystem(
        likeness.finder, version="1", limits=DEFAULT_LIMITS, workers=likeness.workers
    )
    found = suspicions_of(
        system.score(plan_of_people(tmp_path / "people"), lambda done, total: None)
    )
    strangers = {
        frozenset((one.first.split("/")[0], one.second.split("/")[0]))
        for one in found
        if one.kind in ("one-person-twice", "duplicate")
    }
    assert {frozenset(pair) for pair in LABEL_ERRORS} <= strangers
    assert {frozenset(one[:-5] for one in pair) for pair in ERRONEOUS_PAIRS} <= strangers
    odd = {one.first for one in found if one.kind == "two-people"}
    assert {f"{picture[:-5]}/{picture}.jpg" for picture in ERRONEOUS_PICTURES} <= odd
