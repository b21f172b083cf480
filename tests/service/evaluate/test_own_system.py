"""What does Likeness itself make of a plan, and what is left for a run after one that stopped?"""

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from likeness.app import Workload
from likeness.config import Settings
from likeness.errors import Conflict, Fault, InvalidRequest
from likeness.service.evaluate.readers import (
    plan_of_manifest,
    plan_of_people,
    split_for_searches,
)
from likeness.service.evaluate.systems.kept_templates import KeptTemplate, KeptTemplates
from likeness.service.evaluate.systems.own_system import OwnSystem
from likeness.service.evaluate.trials import Plan
from likeness.terms import compare
from likeness.vision.decode import DEFAULT_LIMITS, Sample
from likeness.vision.find import FaceFinder, Located
from tests.cli.conftest import InstallationWithDiscs, ship_standards
from tests.service.people import BLUE, GREEN, RED, draw
from tests.vision.foremost import foremost_template


class CountingFinder:
    """A finder of discs that counts what it is asked, and may fail from a number on."""

    def __init__(self, finder: FaceFinder, fails_from: int = 1_000_000) -> None:
        self._finder, self._fails_from = finder, fails_from
        self.model, self.cohort_version = finder.model, finder.cohort_version
        self.asked = 0

    def locate(self, sample: Sample) -> Located:
        self.asked += 1
        if self.asked > self._fails_from:
            raise Fault("The network is gone. Start again.")
        return self._finder.locate(sample)

    def __getattr__(self, name: str) -> object:
        return getattr(self._finder, name)


def told_nothing(done: int, total: int) -> None:
    pass


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> FaceFinder:
    InstallationWithDiscs.shipped = ship_standards(tmp_path_factory.mktemp("shipped"))
    folder = tmp_path_factory.mktemp("home")
    installation = InstallationWithDiscs(Settings(home=folder, cache=folder, detector_side=160))
    return installation.finder(installation.engine(Workload.ONE))


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Two pictures each of three people, one that is grey and one that is no picture."""
    for name, colour in (("Ada", RED), ("Bo", GREEN), ("Cy", BLUE)):
        draw(tmp_path / "people" / name / "1.png", colour)
        draw(tmp_path / "people" / name / "2.png", colour, side=128)
    draw(tmp_path / "people" / "Cy" / "3.png", (128, 128, 128))
    (tmp_path / "people" / "Bo" / "3.jpg").write_text("no picture")
    return plan_of_people(tmp_path / "people")


@pytest.fixture
def system(finder: FaceFinder) -> Callable[..., OwnSystem]:
    def make(finder: FaceFinder = finder, work: Path | None = None) -> OwnSystem:
        return OwnSystem(finder, version="1", limits=DEFAULT_LIMITS, workers=1, work=work)

    return make


def test_every_pair_scores_as_a_comparison_does_and_failures_are_trials(
    plan: Plan, system: Callable[..., OwnSystem], finder: FaceFinder
) -> None:
    scored = system().score(plan, told_nothing)
    names = [sample.name for sample in plan.samples]
    assert [(names[number], why) for number, why in scored.failures] == [
        ("Bo/3.jpg", "format that is not read"),
        ("Cy/3.png", "no face found"),
    ]
    found = scored.comparisons
    assert found is not None and len(found) == 8 * 7 // 2
    assert found.scores.dtype == np.float32 and found.references.dtype == np.int32
    assert int(found.mated.sum()) == 1 + 3 + 3
    assert int(np.isneginf(found.scores).sum()) == 7 + 6
    templates = {
        n: foremost_template(finder, sample.path)
        for n, sample in enumerate(plan.samples)
        if not scored.samples.failed[n]
    }
    for score, a, b in zip(found.scores, found.references, found.probes, strict=True):
        if np.isfinite(score):
            expected = compare(templates[int(a)], templates[int(b)]).score
            assert score == pytest.approx(expected, abs=1e-5)
    assert np.isfinite(scored.seconds).all()


def test_listed_pairs_score_as_among_all(plan: Plan, system: Callable[..., OwnSystem]) -> None:
    everything = system().score(plan, told_nothing).comparisons
    assert everything is not None
    pairs = np.stack([everything.references, everything.probes], axis=1)[::3]
    some = system().score(replace(plan, pairs=pairs), told_nothing).comparisons
    assert some is not None
    np.testing.assert_allclose(some.scores, everything.scores[::3], atol=1e-5)
    np.testing.assert_array_equal(some.mated, everything.mated[::3])


def test_searches_find_mates_and_count_failures(
    plan: Plan, system: Callable[..., OwnSystem]
) -> None:
    names = [sample.name for sample in plan.samples]
    gallery = np.array([names.index(f"{name}/1.png") for name in ("Ada", "Bo")], np.int32)
    probes = np.setdiff1d(np.arange(len(names)), gallery).astype(np.int32)
    searched = replace(plan, gallery=gallery, searches=probes)
    found = system().score(searched, told_nothing).searches
    assert found is not None and (found.gallery, found.subjects) == (2, 2)
    by_name = dict(zip([names[n] for n in probes], range(len(probes)), strict=True))
    mated = [name for name, row in by_name.items() if found.mated[row]]
    assert sorted(mated) == ["Ada/2.png", "Bo/2.png", "Bo/3.jpg"]
    assert [found.mate_ranks[by_name[name]] for name in mated] == [1, 1, 0]
    assert np.isneginf(found.mate_scores[by_name["Bo/3.jpg"]])
    assert np.isneginf(found.other_scores[by_name["Cy/3.png"]])
    assert np.isfinite(found.other_scores[by_name["Cy/1.png"]])


def test_whoever_is_enrolled_without_a_template_is_missed(
    plan: Plan, system: Callable[..., OwnSystem]
) -> None:
    names = [sample.name for sample in plan.samples]
    gallery = np.array([names.index("Bo/3.jpg"), names.index("Ada/1.png")], np.int32)
    probes = np.array([names.index("Bo/1.png")], np.int32)
    searched = replace(plan, gallery=gallery, searches=probes)
    found = system().score(searched, told_nothing).searches
    assert found is not None
    assert (found.gallery, found.mated.tolist(), found.mate_ranks.tolist()) == (1, [True], [0])


def test_a_run_goes_on_where_one_stopped(
    plan: Plan, system: Callable[..., OwnSystem], finder: FaceFinder, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    whole = system().score(plan, told_nothing)
    stops = CountingFinder(finder, fails_from=4)
    with pytest.raises(Fault):
        system(stops, work).score(plan, told_nothing)
    assert stat.S_IMODE(work.stat().st_mode) == 0o700
    goes_on = CountingFinder(finder)
    told: list[tuple[int, int]] = []
    scored = system(goes_on, work).score(plan, lambda *both: told.append(both))
    # Seven can be decoded, four were; `tell` counts what was kept.
    assert goes_on.asked == 3
    assert told[-1] == (8, 8)
    assert scored.comparisons is not None and whole.comparisons is not None
    np.testing.assert_array_equal(scored.comparisons.scores, whole.comparisons.scores)
    assert scored.failures == whole.failures
    again = CountingFinder(finder)
    third = system(again, work)
    third.score(plan, told_nothing)
    assert again.asked == 0
    third.remove_work()
    assert not work.exists()


def test_what_was_half_written_is_done_again(
    plan: Plan, system: Callable[..., OwnSystem], finder: FaceFinder, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    whole = system(work=work).score(plan, told_nothing)
    (kept,) = work.iterdir()
    kept.write_bytes(kept.read_bytes()[:-700])
    counting = CountingFinder(finder)
    scored = system(counting, work).score(plan, told_nothing)
    assert 0 < counting.asked < 7
    assert scored.comparisons is not None and whole.comparisons is not None
    np.testing.assert_array_equal(scored.comparisons.scores, whole.comparisons.scores)


def test_two_runs_do_not_work_in_one_folder(tmp_path: Path) -> None:
    kept = KeptTemplates(tmp_path, "model", "cohort")
    with pytest.raises(Conflict, match="Another evaluation"):
        KeptTemplates(tmp_path, "model", "cohort")
    KeptTemplates(tmp_path, "another", "cohort").close()
    kept.close()


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    kept = KeptTemplates(tmp_path, "model", "cohort")
    kept.close()
    kept.path.write_text("a letter\n")
    with pytest.raises(InvalidRequest, match="holds no templates"):
        KeptTemplates(tmp_path, "model", "cohort")
    assert kept.path.read_text() == "a letter\n"


@pytest.mark.parametrize(
    "line",
    [
        '{"sha256": "b", "seconds": 1, "mean": 0, "vector": "!"}',
        '{"sha256": "b", "seconds": 1, "mean": NaN, "vector": ""}',
        '{"sha256": "b", "seconds": 1, "mean": 0, "vector": "AAAAAA=="}',
        "[]",
        "[" * 100_000,
        '{"sha256": "b", "failure": "x", "seconds": ' + "9" * 400 + "}",
    ],
    ids=range(6),
)
def test_a_damaged_line_ends_what_is_kept(tmp_path: Path, line: str) -> None:
    kept = KeptTemplates(tmp_path, "model", "cohort")
    kept.add("a", KeptTemplate(0.5, np.ones(4, np.float32), 0.1))
    kept.close()
    with kept.path.open("a") as file:
        file.write(line + "\n")
    again = KeptTemplates(tmp_path, "model", "cohort")
    found = again.get("a")
    assert found is not None and found.vector is not None
    assert (found.vector.tolist(), found.mean) == ([1, 1, 1, 1], 0.1)
    assert again.get("b") is None
    again.close()


def test_a_picture_that_changes_meanwhile_is_said(
    plan: Plan, system: Callable[..., OwnSystem]
) -> None:
    draw(plan.samples[0].path, BLUE)
    (problem,) = system().score(plan, told_nothing).problems
    assert problem.where == "Ada/1.png" and "changed" in problem.says


def test_a_picture_that_goes_away_meanwhile_is_a_failure(
    plan: Plan, system: Callable[..., OwnSystem], tmp_path: Path
) -> None:
    plan.samples[0].path.unlink()
    scored = system(work=tmp_path / "work").score(plan, told_nothing)
    assert scored.failures[0] == (0, "file that cannot be read")


def test_labels_become_groups(system: Callable[..., OwnSystem], plan: Plan) -> None:
    folder = plan.samples[0].path.parent.parent
    manifest = folder / "list.csv"
    manifest.write_text("path,subject,sex\nAda/1.png,Ada,F\nBo/1.png,Bo,M\nBo/2.png,Bo,M\n")
    split = split_for_searches(plan_of_manifest(manifest))
    scored = system().score(split, told_nothing)
    assert scored.samples.axis("sex").labels == ("F", "M")
    assert scored.searches is not None and len(scored.searches) == 1
