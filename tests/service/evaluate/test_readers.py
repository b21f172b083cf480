"""What becomes of pairs, folders, manifests and scores, and what is said of bad rows?"""

import os
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import InvalidRequest
from likeness.service.evaluate.readers import (
    plan_of_manifest,
    plan_of_pairs,
    plan_of_people,
    plan_of_scores,
    read_labels,
    read_scores,
    split_for_searches,
)
from likeness.service.evaluate.readers.problems import MOST_TOLD
from likeness.service.evaluate.trials import Plan


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A folder with two pictures each of Ada and Bo, and one of Cy."""
    for name in ("Ada/1.jpg", "Ada/2.jpg", "Bo/1.jpg", "Bo/2.jpg", "Cy/1.jpg"):
        path = tmp_path / "people" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "people"


def written(folder: Path, *lines: str, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def said(plan: Plan) -> list[tuple[str, str]]:
    return [(problem.where, problem.says) for problem in plan.problems]


def named_pairs(plan: Plan) -> list[tuple[str, str]]:
    assert plan.pairs is not None
    return [(plan.samples[a].name, plan.samples[b].name) for a, b in plan.pairs.tolist()]


def test_a_folder_of_people_is_every_pair_of_its_pictures(people: Path) -> None:
    plan = plan_of_people(people)
    assert [(one.name, one.subject) for one in plan.samples] == [
        ("Ada/1.jpg", "Ada"),
        ("Ada/2.jpg", "Ada"),
        ("Bo/1.jpg", "Bo"),
        ("Bo/2.jpg", "Bo"),
        ("Cy/1.jpg", "Cy"),
    ]
    assert plan.pairs is None
    assert (plan.data.images, plan.data.subjects, plan.problems) == (5, 3, ())
    assert all(len(digest) == 64 for digest in plan.digests)


def test_what_is_no_picture_in_a_folder_of_people_is_said(people: Path) -> None:
    (people / "terms.txt").touch()
    (people / "Ada" / "deeper").mkdir()
    plan = plan_of_people(people)
    assert len(plan.samples) == 5
    assert [where for where, _ in said(plan)] == ["Ada/deeper", "terms.txt"]


def test_the_digest_of_data_follows_files_and_labels_and_no_order(people: Path) -> None:
    rows = ("Ada/1.jpg,Ada,F", "Bo/1.jpg,Bo,M")
    head = "path,subject,sex"
    one = plan_of_manifest(written(people, head, *rows)).data.digest
    assert plan_of_manifest(written(people, head, *reversed(rows))).data.digest == one
    assert plan_of_manifest(written(people, head, rows[0], "Bo/1.jpg,Bo,F")).data.digest != one
    (people / "Bo" / "1.jpg").write_bytes(b"another")
    assert plan_of_manifest(written(people, head, *rows)).data.digest != one


def test_each_bad_row_of_a_manifest_is_said_and_no_good_one_dropped(people: Path) -> None:
    (people / "secret.jpg").symlink_to("/etc/passwd")
    os.mkfifo(people / "pipe.jpg")
    manifest = written(
        people,
        "path,subject,sex",
        "Ada/1.jpg,Ada,F",
        "Ada/2.jpg,Ada,M",
        "Bo/1.jpg,Bo,M",
        "nowhere.jpg,Bo,M",
        "../../etc/passwd,Bo,M",
        "secret.jpg,Bo,M",
        "pipe.jpg,Bo,M",
        "Bo/1.jpg,Ada,M",
        "Bo/2.jpg,,M",
        "Bo/2.jpg,Bo,M,and,more",
        "Bo/2.jpg,Bo,m",
        "Cy/1.jpg,C\ty,M",
        "Cy/1.jpg,Cy,\x07",
    )
    plan = plan_of_manifest(manifest)
    assert [one.name for one in plan.samples] == [
        *("Ada/1.jpg", "Ada/2.jpg", "Bo/1.jpg", "Bo/2.jpg", "Cy/1.jpg")
    ]
    told = dict(said(plan))
    for line, says in {
        5: "No such file",
        6: "leads out of",
        7: "leads out of",
        8: "is no file",
        9: "in line 4 already. This row is left out. There it is 'Bo'",
        10: "subject is missing",
        11: "more values than",
        13: "control character",
        14: "control character",
    }.items():
        assert says in told[f"list.csv, line {line}"]
    assert "Several values in column 'sex': 'F' ('Ada/1.jpg'), 'M' ('Ada/2.jpg')" in told["Ada"]
    assert "'M' (2), 'm' (1)" in told["list.csv"]
    assert plan.samples[4].labels == {"sex": ""}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["Ada/1.jpg,Ada,F", "Ada/2.jpg,Ada,F"], "No two people are compared: there is no FMR"),
        (["Ada/1.jpg,Ada,F", "Bo/1.jpg,Bo,M"], "there is no FNMR"),
        (["Ada/1.jpg,Ada,F", "Bo/1.jpg,Bo,F"], "Column 'sex' has one value, 'F'"),
    ],
)
def test_what_the_data_cannot_carry_is_said(people: Path, rows: list[str], says: str) -> None:
    plan = plan_of_manifest(written(people, "path,subject,sex", *rows))
    assert any(says in problem for _, problem in said(plan))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["path,name", "Ada/1.jpg,Ada"], "no column subject"),
        (["path,subject,sex,sex", "Ada/1.jpg,Ada,F,M"], "column sex comes twice"),
        (["path,subject,s\x1b[31mex", "Ada/1.jpg,Ada,F"], "column's name holds a control"),
        ([f"path,subject,{'s' * 300}", "Ada/1.jpg,Ada,F"], "column's name has 300 characters"),
        (["path,subject"], "no rows"),
        (["path,subject", "no.jpg,Ada", "nor.jpg,Bo"], "None of the 2 pictures .*no.jpg.*--root"),
        (['path,subject\n"Ada/1.jpg,Ada'], "not CSV"),
    ],
)
def test_a_manifest_of_which_nothing_can_be_used_is_an_error(
    people: Path, lines: list[str], says: str
) -> None:
    with pytest.raises(InvalidRequest, match=says):
        plan_of_manifest(written(people, *lines))


def test_many_problems_of_a_kind_are_told_in_numbers(people: Path) -> None:
    missing = [f"{number}.jpg,Ada" for number in range(MOST_TOLD + 7)]
    plan = plan_of_manifest(written(people, "path,subject", "Ada/1.jpg,Ada", *missing))
    assert ("list.csv", "7 more pictures that cannot be read.") in said(plan)
    assert len(plan.problems) == MOST_TOLD + 3


def test_without_identities_each_picture_is_anothers_and_copies_are_left_out(people: Path) -> None:
    (people / "Bo" / "1.jpg").write_bytes((people / "Ada" / "1.jpg").read_bytes())
    rows = ("Ada/1.jpg,F", "Ada/2.jpg,F", "Bo/1.jpg,M")
    plan = plan_of_manifest(written(people, "path,sex", *rows), has_identities=False)
    assert [one.subject for one in plan.samples] == ["Ada/1.jpg", "Ada/2.jpg"]
    assert not plan.data.has_identities
    assert "No column subject (there is: sex)" in plan.problems[0].says
    with pytest.raises(InvalidRequest, match="'subjects' looks like subject"):
        plan_of_manifest(written(people, "path,subjects", "Ada/1.jpg,F"), has_identities=False)
    assert ("Bo/1.jpg" in dict(said(plan))) and not plan.suspicions


def test_copies_of_a_file_are_suspected(people: Path) -> None:
    (people / "Bo" / "1.jpg").write_bytes((people / "Ada" / "1.jpg").read_bytes())
    (found,) = plan_of_people(people).suspicions
    assert (found.kind, found.first, found.second) == ("duplicate", "Ada/1.jpg", "Bo/1.jpg")
    assert "'Ada'" in found.says and "'Bo'" in found.says


def test_a_column_that_differs_among_most_people_labels_pictures(people: Path) -> None:
    for number in range(6):
        (people / f"{number}").mkdir()
        for picture in "ab":
            (people / f"{number}" / f"{picture}.jpg").write_text(f"{number}{picture}")
    rows = [f"{n}/{p}.jpg,{n},{20 + n + (p == 'b')}" for n in range(6) for p in "ab"]
    plan = plan_of_manifest(written(people, "path,subject,age", *rows))
    assert [where for where, _ in said(plan)] == ["list.csv"]
    assert "label of pictures" in plan.problems[0].says


def test_labels_join_by_picture_or_by_person(people: Path, tmp_path: Path) -> None:
    by_person = written(tmp_path, "subject,sex", "Ada,F", "Bo,M", "Nobody,F")
    plan = plan_of_people(people, labels=read_labels(by_person))
    assert [one.labels.get("sex") for one in plan.samples] == ["F", "F", "M", "M", None]
    assert [where for where, _ in said(plan)] == ["Cy/1.jpg", "Nobody"]
    by_picture = written(tmp_path, "path,subject,sex", "./Ada/1.jpg,Bo,F")
    plan = plan_of_people(people, labels=read_labels(by_picture))
    assert plan.samples[0].labels == {"sex": "F"} and plan.samples[0].subject == "Ada"
    assert "It counts as 'Ada'" in dict(said(plan))["Ada/1.jpg"]


def test_labels_of_a_whole_set_for_a_part_of_it_are_one_problem(
    people: Path, tmp_path: Path
) -> None:
    rows = [f"p{number},F" for number in range(30)]
    labels = read_labels(written(tmp_path, "subject,sex", "Ada,F", "Bo,M", "Cy,F", *rows))
    plan = plan_of_people(people, labels=labels)
    assert said(plan) == [
        ("people", "30 rows of labels name no picture that is here, such as 'p0'.")
    ]


def test_labels_that_name_none_of_the_pictures_are_an_error(people: Path, tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, "path,sex", "images/Ada/1.jpg,F"))
    with pytest.raises(InvalidRequest, match="Name them alike"):
        plan_of_people(people, labels=labels)


@pytest.mark.parametrize("head", ["2", "2\t1"])
def test_lists_of_lfw_have_one_fold_or_several(tmp_path: Path, head: str) -> None:
    for name in ("A_B_0001.jpg", "A_B_0002.jpg", "A_B_0003.jpg", "C_0001.png"):
        path = tmp_path / name[:-9] / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    rows = ["A_B\t1\t2", "A_B\t1\tC\t1", "A_B\t1\t3", "A_B\t2\tC\t1"]
    plan = plan_of_pairs(written(tmp_path, head, *rows, name="pairs.txt"))
    assert named_pairs(plan)[1] == ("A_B/A_B_0001.jpg", "C/C_0001.jpg")
    assert plan.samples[2].path.name == "C_0001.png"
    assert [one.subject for one in plan.samples] == ["A_B", "A_B", "C", "A_B"]
    assert (plan.folds is None) == (head == "2")
    if plan.folds is not None:
        assert plan.folds.tolist() == [0, 0, 1, 1]
    assert plan.problems == ()


def test_of_one_persons_thousand_values_the_first_are_said(people: Path) -> None:
    for number in range(1000):
        (people / "Ada" / f"{number}.jpg").write_bytes(bytes([number % 256, number // 256]))
    rows = (f"Ada/{number}.jpg,Ada,job {number}" for number in range(1000))
    told = dict(said(plan_of_manifest(written(people, "path,subject,job", *rows, "Bo/1.jpg,Bo,x"))))
    assert "and 996 more" in told["Ada"] and len(told["Ada"]) < 300


def test_no_ending_of_a_picture_of_lfws_list_leads_out_of_its_folder(tmp_path: Path) -> None:
    for number in (1, 2):
        picture = tmp_path / "images" / "Ada" / f"Ada_000{number}.jpg"
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(bytes([number]))
    (tmp_path / "secret.png").write_bytes(b"elsewhere")
    (picture.parent / "Ada_0003.png").symlink_to(tmp_path / "secret.png")
    pairs = written(tmp_path, "1", "Ada\t1\t2", "Ada\t1\t3", name="pairs.txt")
    plan = plan_of_pairs(pairs, root=tmp_path / "images")
    assert [one.name for one in plan.samples] == ["Ada/Ada_0001.jpg", "Ada/Ada_0002.jpg"]
    assert any("leads out of" in says for _, says in said(plan))


def test_bad_rows_of_lfws_list_are_said(tmp_path: Path) -> None:
    for number in (1, 2):
        path = tmp_path / "A" / f"A_000{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_text(str(number))
    rows = ["A\t1\t2", "A\t2\t1", "A\t1\t1", "A\tone\t2", "A\t1\t9", "A"]
    rows.append(f"{'A' * 9}\t1\t{'1' * 4080}")
    plan = plan_of_pairs(written(tmp_path, "3", *rows, name="pairs.txt"))
    assert len(named_pairs(plan)) == 1
    lines = {where for where, _ in said(plan)}
    assert {"pairs.txt, line 3", "pairs.txt, line 4", "pairs.txt, line 5"} <= lines
    assert {"pairs.txt, line 7", "pairs.txt, line 8", "A/A_0009.jpg"} <= lines
    endless = written(tmp_path, "3", *rows, "x" * 10_000, name="pairs.txt")
    with pytest.raises(InvalidRequest, match="line 9 has more than 4,096 characters"):
        plan_of_pairs(endless)


def test_pairs_say_who_is_who_in_three_ways(people: Path, tmp_path: Path) -> None:
    head, pairs = "path_a,path_b", ["Ada/1.jpg,Ada/2.jpg", "Ada/1.jpg,Bo/1.jpg"]
    by_same = written(people, f"{head},same", f"{pairs[0]},1", f"{pairs[1]},0")
    plan = plan_of_pairs(by_same)
    assert [one.subject for one in plan.samples] == ["Ada/1.jpg", "Ada/1.jpg", "Bo/1.jpg"]
    assert "Only pairs say who is who" in plan.problems[0].says
    by_subject = [f"{pairs[0]},Ada,Ada", f"{pairs[1]},Ada,Bo"]
    plan = plan_of_pairs(written(people, f"{head},subject_a,subject_b", *by_subject))
    assert [one.subject for one in plan.samples] == ["Ada", "Ada", "Bo"]
    manifest = ["Ada/1.jpg,Ada,F", "Ada/2.jpg,Ada,F", "Bo/1.jpg,Bo,M"]
    labels = read_labels(written(tmp_path, "path,subject,sex", *manifest))
    plan = plan_of_pairs(written(people, head, *pairs), labels=labels)
    assert [one.subject for one in plan.samples] == ["Ada", "Ada", "Bo"]
    assert plan.samples[2].labels == {"sex": "M"}
    with pytest.raises(InvalidRequest, match="does not say whose"):
        plan_of_pairs(written(people, head, *pairs))


def test_pairs_that_contradict_each_other_are_said(people: Path) -> None:
    rows = ["Ada/1.jpg,Ada/2.jpg,1", "Ada/2.jpg,Bo/1.jpg,1", "Ada/1.jpg,Bo/1.jpg,0"]
    plan = plan_of_pairs(written(people, "path_a,path_b,same", *rows))
    assert "are one person's by all else" in dict(said(plan))["list.csv, line 4"]


def scores_of(folder: Path, *rows: str, head: str = "path_a,path_b,score,same") -> Plan:
    return plan_of_scores(read_scores(written(folder, head, *rows)))


def test_scores_that_are_no_numbers_are_failed_comparisons(tmp_path: Path) -> None:
    rows = ["a,b,.9,1", "a,c,nan,0", "b,c,-1e308,0", "a,d,,0", "b,d,much,0", "b,e,.2,0", "b,a,.8,1"]
    read = read_scores(written(tmp_path, "path_a,path_b,score,same", *rows))
    assert read.scores is not None
    np.testing.assert_array_equal(read.scores, [0.9, *[-np.inf] * 4, 0.2])
    assert [(read.names[number], why) for number, why in read.failures] == [
        ("c", "score 'nan'"),
        ("d", "no score"),
    ]
    plan = plan_of_scores(read)
    assert len(named_pairs(plan)) == 6
    assert "It scores 0.8 here and 0.9 there" in dict(said(plan))["list.csv, line 8"]


def test_what_nobody_says_of_a_failure_is_not_guessed(tmp_path: Path) -> None:
    read = read_scores(
        written(tmp_path, "path_a,path_b,score,failure", "a,b,,no face", "c,d,.5,", "e,f,.1,")
    )
    assert (read.failures, read.unclear) == ((), 1)
    head = "path_a,path_b,score,failure_b"
    read = read_scores(written(tmp_path, head, "a,b,,no face", "c,d,.5,", "e,f,.1,"))
    assert ([read.names[n] for n, _ in read.failures], read.unclear) == (["b"], 0)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["a,b,.5,1", "a,c,.5,0", "b,d,.5,0"], "All 3 scores are 0.5"),
        ([f"{n},x{n},{s},0" for n, s in enumerate([0.1, 0.2, 0.3, 40, 50, 60])], "two scales"),
        (["a,b,.5,1", "a,c,.4,perhaps"], "neither 1 nor 0"),
        (["a,a,.5,1", "a,c,.4,0"], "compared with itself"),
    ],
)
def test_scores_that_tell_nothing_are_said(tmp_path: Path, rows: list[str], says: str) -> None:
    assert any(says in problem for _, problem in said(scores_of(tmp_path, *rows)))


def test_unknown_columns_of_scores_are_said_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    plan = scores_of(tmp_path, "a,b,.5,1,F", head="path_a,path_b,score,same,sex")
    assert "Columns that nothing reads: sex" in plan.problems[0].says
    with pytest.raises(InvalidRequest, match="no column cosine"):
        read_scores(written(tmp_path, "path_a,path_b,score", "a,b,1"), column="cosine")


def test_a_whole_matrix_of_scores_is_each_pair_once(tmp_path: Path) -> None:
    names = [f"p{n}/{m}" for n in range(6) for m in range(2)]
    rows = [f"{a},{b},{0.1 + (a[1] == b[1])}" for a in names for b in names]
    read = read_scores(written(tmp_path, "path_a,path_b,score", *rows))
    assert len(read.pairs) == 12 * 11 // 2
    told = [problem.says for problem in read.problems.all()]
    assert sum("compared with itself" in says for says in told) == 12
    assert sum("already. This row is left out." in says for says in told) == 66


def test_distances_are_turned_round(tmp_path: Path) -> None:
    read = read_scores(written(tmp_path, "path_a,path_b,score", "a,b,.25"), distances=True)
    assert read.scores is not None and read.scores.tolist() == [-0.25]


def test_a_split_enrols_each_once_and_searches_with_the_rest(people: Path) -> None:
    plan = split_for_searches(plan_of_people(people))
    subjects = [plan.samples[n].subject for n in plan.gallery.tolist()]
    assert subjects == ["Ada", "Bo", "Cy"]
    assert sorted([*plan.gallery.tolist(), *plan.searches.tolist()]) == list(range(5))
    assert "seed 0" in plan.split


def test_an_open_set_leaves_people_out_and_the_seed_says_whom(people: Path) -> None:
    plans = [split_for_searches(plan_of_people(people), unenrolled=0.3, seed=n) for n in range(9)]
    again = split_for_searches(plan_of_people(people), unenrolled=0.3, seed=4)
    assert plans[4].gallery.tolist() == again.gallery.tolist()
    assert {len(plan.gallery) for plan in plans} == {2}
    assert len({tuple(plan.gallery.tolist()) for plan in plans}) > 1


def test_a_split_of_which_nothing_is_left_is_an_error(people: Path) -> None:
    manifest = written(people, "path,subject", "Ada/1.jpg,Ada", "Bo/1.jpg,Bo")
    with pytest.raises(InvalidRequest, match="nothing to search with"):
        split_for_searches(plan_of_manifest(manifest))
    with pytest.raises(InvalidRequest, match="Not a split"):
        split_for_searches(plan_of_people(people), unenrolled=1)


def test_a_plan_numbers_subjects_and_groups(people: Path, tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, "subject,sex", "Ada,F", "Bo,M"))
    samples = plan_of_people(people, labels=labels).counted(np.zeros(5, bool))
    assert samples.subjects.tolist() == [0, 0, 1, 1, 2]
    assert samples.axis("sex").labels == ("F", "M")
    assert samples.axis("sex").codes.tolist() == [0, 0, 1, 1, -1]
