"""What does a file of scores say of what is planned?"""

from pathlib import Path

import numpy as np
import pytest

from likeness.errors import InvalidRequest
from likeness.service.evaluate.readers import (
    plan_of_manifest,
    plan_of_scores,
    read_labels,
    read_scores,
    split_for_searches,
)
from likeness.service.evaluate.systems.score_file import ScoreFile
from likeness.service.evaluate.trials import Plan, Scored


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    names = ("a1", "a2", "b1", "b2")
    for name in names:
        (tmp_path / name).write_text(name)
    manifest = tmp_path / "people.csv"
    manifest.write_text("path,subject\n" + "".join(f"{name},{name[0]}\n" for name in names))
    return plan_of_manifest(manifest)


def score_file(folder: Path, *rows: str, head: str = "path_a,path_b,score") -> ScoreFile:
    path = folder / "scores.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return ScoreFile(read_scores(path), name="theirs", version="2")


def scored(system: ScoreFile, plan: Plan) -> Scored:
    return system.score(plan, lambda done, total: None)


def scores_by_pair(plan: Plan, found: Scored) -> dict[tuple[str, str], float]:
    assert found.comparisons is not None
    names = [sample.name for sample in plan.samples]
    return {
        (names[a], names[b]): score
        for a, b, score in zip(
            found.comparisons.references.tolist(),
            found.comparisons.probes.tolist(),
            found.comparisons.scores.tolist(),
            strict=True,
        )
    }


def test_scores_are_found_in_either_order_and_what_lacks_counts_as_failed(
    plan: Plan, tmp_path: Path
) -> None:
    system = score_file(
        tmp_path, "a2,a1,.9", "b1,a1,.1", "b2,a1,.2", "./a2,b1,.3", "b1,b2,.8", "z,a1,.5"
    )
    found = scored(system, plan)
    assert scores_by_pair(plan, found) == {
        ("a1", "a2"): 0.9,
        ("a1", "b1"): 0.1,
        ("a1", "b2"): 0.2,
        ("a2", "b1"): 0.3,
        ("a2", "b2"): -np.inf,
        ("b1", "b2"): 0.8,
    }
    assert found.comparisons is not None
    assert found.comparisons.mated.tolist() == [True, False, False, False, False, True]
    assert [problem.says for problem in found.problems] == [
        "No score of 'a2' and 'b2'. The comparison counts as failed.",
        "1 rows are of pairs that are not planned.",
    ]
    assert found.failures == () and np.isnan(found.seconds).all()
    assert (system.facts().name, system.facts().kind) == ("theirs", "scores")


def test_a_picture_that_the_file_does_not_have_failed(plan: Plan, tmp_path: Path) -> None:
    found = scored(score_file(tmp_path, "a1,a2,.9", "a1,b1,.1", "a2,b1,.2"), plan)
    assert found.failures == ((3, "not in the file of scores"),)
    assert found.samples.failed.tolist() == [False, False, False, True]


def test_failures_in_the_file_are_failures_of_pictures(tmp_path: Path) -> None:
    rows = ("a1,a2,.9,,1", "a1,b1,,no face,0", "a2,b1,,no face,0")
    head = "path_a,path_b,score,failure,same"
    system = score_file(tmp_path, *rows, head=head)
    plan = plan_of_scores(read_scores(tmp_path / "scores.csv"))
    found = scored(system, plan)
    assert found.failures == ((2, "no face"),)
    assert found.comparisons is not None
    assert found.comparisons.scores.tolist() == [0.9, -np.inf, -np.inf]


def test_a_file_of_other_pictures_is_an_error(plan: Plan, tmp_path: Path) -> None:
    system = score_file(tmp_path, "images/a1,images/a2,.9")
    with pytest.raises(InvalidRequest, match=r"0 of the 6 pairs.*'images/a1'.*'a1'"):
        scored(system, plan)


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ("No face found (250x250 pixels). The face should be sharp.", "no face found"),
        ("'a b.jpg': Not a picture: the file is a text file.", "not a picture"),
        ("'x.jpg' does not exist. Check the path.", "does not exist"),
        ("NoFaceException", "nofaceexception"),
        ("''", "''"),
    ],
)
def test_reasons_are_cut_to_what_can_be_counted(tmp_path: Path, said: str, counted: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(f'path_a,path_b,score,failure_a\na,b,,"{said}"\n')
    assert read_scores(path).failures == ((0, counted),)


def test_what_likeness_writes_of_pairs_can_be_evaluated(tmp_path: Path) -> None:
    head = (
        "path_a,path_b,raw_score,score,similarity,failure,faces,fmr_any,left,top,right,bottom,"
        "extrapolated"
    )
    rows = (
        "'=a1.jpg,a2.jpg,0.9,-0.1,99.9,,1,1e-05,1,1,9,9,false",
        "'=a1.jpg,b.jpg,,,,No face found,,,,,,,",
        "a2.jpg,c.jpg,0.1,-0.9,0,,1,1,1,1,9,9,false",
    )
    system = score_file(tmp_path, *rows, head=head)
    manifest = tmp_path / "people.csv"
    manifest.write_text("path,subject,sex\n=a1.jpg,a,F\na2.jpg,a,F\nb.jpg,b,M\nc.jpg,c,M\n")
    plan = plan_of_scores(read_scores(tmp_path / "scores.csv"), labels=read_labels(manifest))
    found = scored(system, plan)
    assert [plan.samples[number].name for number, _ in found.failures] == ["b.jpg"]
    assert scores_by_pair(plan, found)["=a1.jpg", "a2.jpg"] == -0.1
    assert found.samples.axis("sex").labels == ("F", "M")
    assert plan.problems == ()


def test_scores_that_look_like_distances_are_said(plan: Plan, tmp_path: Path) -> None:
    rows = ("a1,a2,.1", "a1,b1,.9", "a1,b2,.8", "a2,b1,.7", "a2,b2,.9", "b1,b2,.2")
    (problem,) = scored(score_file(tmp_path, *rows), plan).problems
    assert "If these are distances" in problem.says


def test_searches_are_made_of_scores(plan: Plan, tmp_path: Path) -> None:
    rows = [f"{a},{b},{0.9 if a[0] == b[0] else 0.1}" for a in ("a1", "a2") for b in ("b1", "b2")]
    system = score_file(tmp_path, *rows, "a1,a2,.9", "b1,b2,.05")
    found = scored(system, split_for_searches(plan)).searches
    assert found is not None and found.mate_ranks.tolist() == [1, 2]
