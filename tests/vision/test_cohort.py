import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.errors import InvalidRequest, ModelTampered
from likeness.terms import relative_scores
from likeness.vision.cohorts.cohort import CROWD, Cohort, crowds

Vectors = NDArray[np.float32]
SHIPPED = sorted(
    (Path(__file__).parents[2] / "src/likeness/vision/cohorts/shipped").glob("*.cohort.npz")
)


def unit(vectors: NDArray[np.float64]) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / lengths, np.float32)


def strangers(count: int, spread: float, seed: int, towards: int = 0) -> Vectors:
    """People around one place in 32 dimensions: the smaller the spread, the more alike."""
    draws = np.random.default_rng(seed)
    centre = np.zeros(32)
    centre[towards] = 1.0
    return unit(centre + spread * draws.normal(size=(count, 32)))


@pytest.fixture
def people() -> Vectors:
    return np.concatenate([strangers(150, 0.1, 1), strangers(150, 0.05, 2, towards=1)])


@pytest.fixture
def cohort(people: Vectors) -> Cohort:
    return Cohort.of(crowds(people), "a-model", "people who do not exist")


def test_mean_is_that_of_the_highest_scores_followed_further() -> None:
    vectors = strangers(300, 0.2, 3)
    cohort = Cohort.of(vectors, "a-model", "nobody")
    probe = strangers(1, 0.2, 4)

    (mean,) = cohort.means(probe)

    highest = np.sort(cohort.vectors @ probe[0])[-cohort.nearest :]
    assert cohort.nearest == 17
    beyond = 0.2 * (highest.mean() - cohort.typical_mean)
    assert cohort.followed == 1.2
    assert mean == pytest.approx(highest.mean() + beyond, abs=1e-6)


def test_means_of_many_are_those_of_each(cohort: Cohort) -> None:
    probes = strangers(600, 0.2, 5)
    means = cohort.means(probes)
    assert means.dtype == np.float64
    for row in (0, 255, 256, 599):
        assert means[row] == pytest.approx(cohort.means(probes[row : row + 1])[0], abs=1e-6)


def test_highest_scores_come_in_order_and_no_more_than_there_are(cohort: Cohort) -> None:
    probes = strangers(3, 0.2, 5)
    every = -np.sort(-(probes @ cohort.vectors.T), axis=1)
    np.testing.assert_allclose(cohort.highest(probes, 20), every[:, :20], atol=1e-6)
    assert cohort.highest(probes, 10**6).shape == every.shape


def test_strangers_in_a_crowded_place_score_nearly_as_elsewhere(cohort: Cohort) -> None:
    loose, crowded = strangers(200, 0.1, 7), strangers(200, 0.05, 8, towards=1)
    threshold = np.quantile(scores_of_strangers(loose, cohort), 0.99, axis=1)
    raw_rate, even_rate = (scores_of_strangers(crowded, cohort) >= threshold[:, None]).mean(axis=1)
    assert raw_rate > 0.5
    assert even_rate < 0.05


def scores_of_strangers(group: Vectors, cohort: Cohort) -> NDArray[np.float64]:
    """Raw and relative scores of every pair: (2, pairs)."""
    means, raw = cohort.means(group), group @ group.T
    pairs = np.triu_indices(len(group), k=1)
    return np.stack([raw[pairs], relative_scores(raw, means[:, None], means)[pairs]])


def test_every_average_is_of_ten_people_in_equal_shares() -> None:
    # Everybody has one direction to themselves, so that an average tells who takes part.
    own = np.random.default_rng(11).uniform(0.1, 0.3, 120)
    people = unit(np.hstack([np.ones((120, 1)), np.diag(own)]))
    shares = crowds(people)[:, 1:] / np.diag(people[:, 1:])
    takes_part = shares > 1e-6
    assert len(shares) > 0
    assert (takes_part.sum(axis=1) == CROWD).all()
    np.testing.assert_allclose(shares[takes_part], 1 / CROWD, rtol=1e-4)


def test_no_average_scores_with_a_person_as_their_own_picture_would(people: Vectors) -> None:
    averages = crowds(people)
    scores = people @ people.T
    np.fill_diagonal(scores, -1)
    highest = np.sort(scores, axis=1)[:, -20:]
    likeness = (people @ averages.T - highest.mean(axis=1)[:, None]) / highest.std(axis=1)[:, None]
    assert likeness.max() <= 3.5 + 1e-3


def test_somebody_who_stands_alone_is_left_out_rather_than_exposed() -> None:
    crowd = strangers(150, 0.02, 9)
    loner = unit(np.eye(32)[None, 5])
    averages = crowds(np.concatenate([crowd, loner]))
    # Their own average would have had a tenth of them; a crowd's has next to nothing.
    assert len(averages) == 8 * len(crowd)
    assert (averages @ loner[0]).max() < 0.05


def test_same_seed_makes_the_same_cohort(people: Vectors) -> None:
    first, again, other = (Cohort.of(crowds(people, s), "m", "x") for s in (1, 1, 2))
    assert first.version == again.version
    assert first.version != other.version


@pytest.mark.parametrize("changed", [{"model": "another"}, {"made_from": "others"}])
def test_version_covers_what_a_cohort_says_of_itself(
    people: Vectors, changed: dict[str, str]
) -> None:
    facts = {"model": "a-model", "made_from": "nobody"}
    vectors = crowds(people)
    assert Cohort.of(vectors, **facts).version != Cohort.of(vectors, **{**facts, **changed}).version


def test_few_people_are_refused(people: Vectors) -> None:
    with pytest.raises(InvalidRequest, match="Too few people for a cohort: 99"):
        crowds(people[:99])


def test_cohort_survives_the_disk(cohort: Cohort, tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    path.write_bytes(cohort.as_bytes())
    loaded = Cohort.load(path)
    assert loaded.version == cohort.version
    assert loaded.made_from == cohort.made_from
    probe = strangers(3, 0.1, 10)
    np.testing.assert_array_equal(loaded.means(probe), cohort.means(probe))


def test_version_names_the_way_scores_are_computed(cohort: Cohort) -> None:
    assert re.fullmatch(r"rd1-[0-9a-f]{12}", cohort.version)


def older_file(path: Path, vectors: Vectors, **changed: object) -> None:
    """Write a cohort as Likeness 0.1.0 did."""
    facts = {
        "model": "a-model",
        "made_from": "nobody",
        "nearest": 10,
        "typical_mean": 0.4,
        "typical_deviation": 0.02,
        **changed,
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    digest.update(vectors.astype("<f2").tobytes())
    said = json.dumps({**facts, "version": digest.hexdigest()[:12]})
    np.savez_compressed(path, vectors=vectors.astype("<f2"), facts=np.array(said))


def test_averages_of_an_older_likeness_serve_in_the_present_way(tmp_path: Path) -> None:
    vectors = crowds(strangers(150, 0.1, 1))
    older_file(tmp_path / "old.npz", vectors)
    loaded = Cohort.load(tmp_path / "old.npz")
    assert loaded.version == Cohort.of(vectors, "a-model", "nobody").version


def test_damaged_cohort_of_an_older_likeness_is_never_used(tmp_path: Path) -> None:
    older_file(tmp_path / "old.npz", crowds(strangers(150, 0.1, 1)))
    altered_vector(tmp_path / "old.npz")
    with pytest.raises(ModelTampered, match="Delete it and"):
        Cohort.load(tmp_path / "old.npz")


def altered_vector(path: Path) -> None:
    with np.load(path) as archive:
        vectors, facts = archive["vectors"].copy(), archive["facts"]
    vectors[0, 0] += 1
    np.savez(path, vectors=vectors, facts=facts)


def altered_fact(path: Path) -> None:
    with np.load(path) as archive:
        vectors, facts = archive["vectors"], json.loads(str(archive["facts"]))
    np.savez(path, vectors=vectors, facts=np.array(json.dumps({**facts, "nearest": 3})))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def other_arrays(path: Path) -> None:
    np.savez(path, pictures=np.zeros(3))


@pytest.mark.parametrize("damage", [altered_vector, altered_fact, cut_short, emptied, other_arrays])
def test_damaged_cohort_is_never_used(
    cohort: Cohort, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "kept.npz"
    path.write_bytes(cohort.as_bytes())
    damage(path)
    with pytest.raises(ModelTampered, match="Delete it and"):
        Cohort.load(path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name[:20])
def test_shipped_cohort_is_small_and_names_its_source(path: Path) -> None:
    cohort = Cohort.load(path)
    assert path.name == f"{cohort.model}.cohort.npz"
    assert path.stat().st_size < 2_500_000
    assert "CC BY 4.0" in cohort.made_from
    # Nobody's template has less than length one; an average of several people has.
    assert np.linalg.norm(cohort.vectors, axis=1).max() < 1.0
