import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench import __main__ as bench
from bench import their_descriptors, workplace
from bench.figure import Beside, Figure, Measurement, NotMeasured, Target, at_least, at_most
from bench.figures import FIGURES
from bench.machine import Machine
from bench.portrayed import portrayed_of
from bench.race import Race, race
from likeness.vision.find import foremost_of

AMX = Machine("Fast CPU", ("amx_bf16", "avx2"), 2, "Python 3.11")
PLAIN = Machine("Plain CPU", ("avx2",), 2, "Python 3.11")


def figure(
    name: str, measure: Callable[[bool], Measurement], target: Target | None = None
) -> Figure:
    return Figure(name, "times", target, measure)


def gives(value: float, *beside: Beside) -> Callable[[bool], Measurement]:
    return lambda full: Measurement(value, "a peer", beside)


def lacks(full: bool) -> Measurement:
    raise NotMeasured("the data are not here")


def breaks(full: bool) -> Measurement:
    raise ZeroDivisionError("by zero")


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., list[dict[str, object]]]:
    def rows(*figures: Figure, machine: Machine = AMX, code: int = 0) -> list[dict[str, object]]:
        path = tmp_path / "out" / "results.json"
        assert bench.run(figures, machine, path) == code
        rows = json.loads(path.read_text())
        assert isinstance(rows, list)
        return rows

    return rows


def test_a_row_says_what_was_measured_and_whether_it_is_enough(measured):
    (row,) = measured(figure("speed", gives(3.0), at_least(2)))
    expected = {
        "figure": "speed",
        "value": 3.0,
        "unit": "times",
        "target": 2,
        "met": True,
        "against": "a peer",
        "command": "make bench ONLY=speed",
        "bound": "at least",
        "processor": "Fast CPU, 2 cores (amx_bf16 avx2)",
    }
    assert expected.items() <= row.items()


@pytest.mark.parametrize(
    ("value", "target", "met"),
    [
        (2.0, at_least(2), True),
        (1.9, at_least(2), False),
        (2.0, at_most(2), True),
        (2.1, at_most(2), False),
        (2.0, None, None),
    ],
)
def test_targets_hold_at_their_limit_and_not_beyond(measured, value, target, met):
    (row,) = measured(figure("speed", gives(value), target))
    assert row["met"] is met


def test_a_processor_without_amx_has_its_own_target_and_says_so(measured):
    target = at_least(80, without_amx=40)
    (fast,) = measured(figure("speed", gives(50), target))
    (plain,) = measured(figure("speed", gives(50), target), machine=PLAIN)
    assert (fast["target"], fast["met"], fast["against"]) == (80, False, "a peer")
    assert (plain["target"], plain["met"]) == (40, True)
    assert "with AMX the target is 80" in plain["against"]
    assert "no AMX" in plain["processor"]


def test_a_processor_without_bf16_has_its_own_target_and_says_so(measured):
    bf16 = Machine("CPU with bf16", ("avx512_bf16", "avx2"), 2, "Python 3.11")
    targets = at_least(60, without_bf16=30), at_least(60, without_amx=30, without_bf16=20)
    limits = [
        [row["target"] for row in measured(*(figure("s", gives(1), t) for t in targets), machine=m)]
        for m in (AMX, bf16, PLAIN)
    ]
    assert limits == [[60, 60], [60, 30], [30, 20]]
    (plain,) = measured(figure("speed", gives(200), at_most(150, without_bf16=300)), machine=PLAIN)
    assert (plain["target"], plain["met"]) == (300, True)
    assert "with bf16 the target is 150" in plain["against"]


def test_what_cannot_be_measured_is_a_row_and_stops_nothing(measured):
    missing, present = measured(figure("a", lacks, at_least(2)), figure("b", gives(1.0)))
    assert (missing["value"], missing["met"], missing["target"]) == (None, None, 2)
    assert missing["against"] == "not measured: the data are not here"
    assert present["value"] == 1.0


def test_an_unforeseen_error_is_a_row_a_trace_and_an_exit_code(measured, capsys):
    broken, present = measured(figure("a", breaks), figure("b", gives(1.0)), code=3)
    assert broken["against"] == "not measured: ZeroDivisionError: by zero"
    assert present["value"] == 1.0
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_numbers_beside_a_figure_have_no_target_and_its_command(measured):
    _, beside = measured(
        figure("speed", gives(3.0, Beside("alone", 1.0, "s", "one thread")), at_least(2))
    )
    assert (beside["figure"], beside["target"], beside["met"]) == ("speed/alone", None, None)
    assert beside["command"] == "make bench ONLY=speed"


def test_results_are_on_disk_before_the_next_figure_begins(tmp_path):
    path = tmp_path / "results.json"
    seen = []

    def look(full: bool) -> Measurement:
        seen.extend(row["figure"] for row in json.loads(path.read_text()))
        return Measurement(1.0, "nothing")

    bench.run([figure("first", gives(1.0)), figure("second", look)], AMX, path)
    assert seen == ["first"]
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


def test_results_are_printed_as_they_come_and_as_a_table(measured, capsys):
    measured(figure("speed", gives(3.14159), at_least(4)))
    printed = capsys.readouterr().out
    assert "speed: 3.142 times (MISSED, target at least 4) - a peer" in printed
    assert "Likeness, measured" in printed


def test_one_figure_can_be_measured_alone(monkeypatch, tmp_path):
    figures = (figure("a", breaks), figure("b", gives(2.0)))
    monkeypatch.setattr(bench, "FIGURES", figures)
    monkeypatch.setattr(bench, "OUT", tmp_path)
    monkeypatch.setattr(bench, "this_machine", lambda: AMX)
    assert bench.main(["--only", "b"]) == 0
    (row,) = json.loads((tmp_path / "results.json").read_text())
    assert row["figure"] == "b"


def test_full_asks_every_figure_for_the_long_work(monkeypatch, tmp_path):
    asked = []
    measure = lambda full: asked.append(full) or Measurement(1.0, "nothing")  # noqa: E731
    monkeypatch.setattr(bench, "FIGURES", (figure("a", measure),))
    monkeypatch.setattr(bench, "OUT", tmp_path)
    monkeypatch.setattr(bench, "this_machine", lambda: AMX)
    bench.main([])
    bench.main(["--full"])
    assert asked == [False, True]


def test_an_unknown_name_is_one_line_that_names_the_figures(capsys):
    assert bench.main(["--only", "nonesuch"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert "'nonesuch'" in captured.err
    assert FIGURES[0].name in captured.err


def test_figures_have_names_of_their_own():
    names = [each.name for each in FIGURES]
    assert len(set(names)) == len(names)


def test_missing_data_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(workplace, "_DATA", tmp_path)
    with pytest.raises(NotMeasured, match="shared/data/lfw_view1"):
        workplace.data("lfw_view1")


def test_settings_and_home_of_the_user_have_no_part_in_figures(monkeypatch, tmp_path):
    monkeypatch.setenv("LIKENESS_CHIPS", "one")
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path / "cache"))
    used = workplace.settings()
    assert used.chips == "auto"
    assert used.home != tmp_path / "home"
    assert used.cache == tmp_path / "cache"


def test_a_race_compares_round_by_round():
    laps = Race({"slow": (10.0, 40.0, 10.0), "fast": (1.0, 2.0, 5.0)})
    assert laps.times_faster("fast", than="slow") == 10.0
    assert laps.median("slow") == 10.0


def test_runners_of_a_race_take_turns():
    order = []
    run = {name: lambda name=name: order.append(name) or 1.0 for name in "ab"}
    race(run, 2)
    assert order == ["a", "b", "a", "b"]


def test_the_face_portrayed_is_the_one_in_the_middle_and_not_a_larger_one_at_the_edge():
    middle, edge = [80, 80, 170, 170], [0, 150, 100, 250]
    boxes = np.array([edge, middle], np.float32)
    assert portrayed_of(boxes, 250, 250) == 1
    assert foremost_of(boxes, 250, 250) == 0


def test_kept_answers_of_a_peer_know_no_rule_for_the_face(monkeypatch, tmp_path):
    def face(box_xyxy, value):
        return {"box_xyxy": box_xyxy, "descriptor": [value] * 128}

    pictures = [tmp_path / "two.jpg", tmp_path / "none.jpg"]
    for picture in pictures:
        picture.write_bytes(picture.name.encode())
    two = [face([40, 40, 60, 60], 0.0), face([0, 0, 25, 25], 1.0)]
    asked = []

    def ask(pictures):
        asked.append(len(pictures))
        return [{"width": 100, "height": 100, "faces": faces} for faces in (two, [])]

    monkeypatch.setattr(their_descriptors, "OUT", tmp_path / "out")
    monkeypatch.setattr(their_descriptors, "peer_versions", lambda: "peer 1")
    monkeypatch.setattr(their_descriptors, "_ask", ask)
    chosen = []
    for rule in (0, 1):
        monkeypatch.setattr(their_descriptors, "portrayed_of", lambda *args, rule=rule: rule)
        kept, _ = their_descriptors._answers(pictures)
        chosen.append(their_descriptors._portrayed(kept)[0])
    scores = their_descriptors.their_scores(pictures)
    assert (asked, chosen) == ([2], [0.0, 1.0])
    assert scores[0, 0] == 0.0 and scores[0, 1] == scores[1, 1] == -float("inf")
    monkeypatch.setattr(their_descriptors, "peer_versions", lambda: "peer 2")
    their_descriptors._answers(pictures)
    assert asked == [2, 2]
