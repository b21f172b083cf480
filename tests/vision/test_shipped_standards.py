"""What is shipped with the recognisers: calibrations, rates of groups, figures and audits."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from likeness.reports import write_html
from likeness.service.evaluate.findings import from_json
from likeness.service.video.track_scores import best_of_many
from likeness.terms import Calibration
from likeness.video import MOST_SHOTS
from likeness.vision.cohorts import standards as shipped
from likeness.vision.cohorts.standards import Standards

FOLDER = Path(shipped.__file__).parent / "shipped"
CALIBRATIONS = sorted(path.name for path in FOLDER.glob("*.calibration.json"))


@pytest.fixture
def standards(tmp_path: Path) -> Standards:
    return Standards(tmp_path)


def of(name: str) -> tuple[str, str]:
    model, version = name.removesuffix(".calibration.json").rsplit(".", 1)
    return model, version


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_the_worst_group_is_warned_of_at_the_threshold_of_the_settings(
    standards: Standards, name: str
) -> None:
    calibration = standards.calibration(*of(name))
    warning = calibration.group_warning(calibration.point(1e-3), 10.0)
    figures = standards.figures(*of(name))
    assert warning is not None and figures is not None
    assert warning.group == figures.groups[0].group
    assert warning.fmr == pytest.approx(figures.groups[0].fmr, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name", CALIBRATIONS)
def test_every_card_carries_its_audits(standards: Standards, name: str) -> None:
    reports = standards.reports(*of(name))
    assert set(reports) == {"fairface", "lfw", "utkface"}
    figures = standards.figures(*of(name))
    assert figures is not None and figures.failures
    for which, document in reports.items():
        report = from_json(document, which)
        assert of(name)[0] == report.findings[0].system.model
        assert len(write_html(report)) < 3_000_000


def test_a_cohort_that_is_not_shipped_has_none(standards: Standards) -> None:
    assert standards.reports(of(CALIBRATIONS[0])[0], "another") == {}


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_scores_of_tracks_have_rates_of_the_order_of_those_of_pictures(
    standards: Standards, name: str
) -> None:
    pictures, tracks = standards.calibration(*of(name)), standards.track_calibration(*of(name))
    assert tracks is not None and tracks.alike is not None and pictures.alike is not None
    assert (tracks.model, tracks.cohort_version) == of(name)
    assert tracks.one_person == pictures.one_person and tracks.groups == pictures.groups
    for fmr in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5):
        score = pictures.threshold(fmr)
        assert 0.7 < tracks.fmr(score) / fmr < 2.5
        assert 0.7 < tracks.alike.fmr(score) / pictures.alike.fmr(score) < 1.3
        # What holds where nobody measured tracks is stricter.
        assert tracks.fmr(score) < best_of_many(pictures, MOST_SHOTS).fmr(score)


def test_tracks_mean_what_is_shipped_or_nothing(tmp_path: Path) -> None:
    known = Calibration("m", "c", (-1.0, -0.5), (1.0, 1e-3), 1000, "tracks")
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "m.c.tracks.json").write_text(json.dumps(known.as_json()))
    standards = Standards(tmp_path, shipped)
    assert standards.track_calibration("m", "c") == known
    assert standards.track_calibration("m", "another") is None
    # An operator's own calibration is of other strangers.
    standards.keep_calibration(replace(known, measured_on="our own"))
    assert standards.track_calibration("m", "c") is None
