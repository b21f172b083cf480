"""`likeness models`, `config` and `doctor`, through the real command."""

import json
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from likeness.config import PREFIX, Settings, read_settings

from .conftest import Outcome

Command = Callable[..., Outcome]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def arcface(tmp_path: Path) -> Path:
    """A graph in ArcFace's form: the mean of each channel."""
    return write_arcface(tmp_path / "tiny.onnx")


def write_arcface(path: Path) -> Path:
    """Write a graph in ArcFace's form: the mean of each channel."""
    mean = helper.make_node("GlobalAveragePool", ["in"], ["mean"])
    flat = helper.make_node("Flatten", ["mean"], ["out"])
    chips = helper.make_tensor_value_info("in", TensorProto.FLOAT, ["n", 3, 112, 112])
    rows = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph([mean, flat], "tiny", [chips], [rows])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def test_the_list_says_task_terms_and_what_is_here(likeness: Command) -> None:
    outcome = likeness("models", "list")
    assert outcome.code == 0
    first = outcome.out.splitlines()[0]
    assert first.split("  ")[0] == "centerface"
    assert first.endswith("detector, weights permissive, not fetched, in use")
    models = json.loads(likeness("models", "list", "--json").out)["models"]
    assert [model["name"] for model in models if model["in_use"]] == [
        "centerface",
        "dlib-resnet-v1",
    ]


def test_show_hides_no_terms(likeness: Command) -> None:
    outcome = likeness("models", "show", "dlib-resnet-v1")
    for words in ("CC0", "Boost", "Training data: FaceScrub", "Limit: The weights are from 2017"):
        assert words in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80
    details = json.loads(likeness("models", "show", "dlib-resnet-v1", "--json").out)
    assert {"training_data", "known_limits", "calibration", "source"} <= set(details)


def test_a_model_of_unknown_terms_is_used_only_once_accepted(
    likeness: Command, arcface: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--name", "tiny", "--form", "arcface", "--licence", "research only"]
    added = likeness("models", "add", arcface, *options)
    assert added.code == 0
    assert "likeness models accept tiny" in added.out
    refused = likeness("models", "pull", "tiny")
    assert (refused.code, refused.out) == (1, "")
    assert "research only" in refused.err
    accepted = likeness("models", "accept", "tiny", "--yes")
    assert accepted.code == 0
    assert "research only (unknown)" in accepted.out
    assert "Training data: not stated" in accepted.out
    assert likeness("models", "pull", "tiny").code == 0
    (tiny,) = [
        model
        for model in json.loads(likeness("models", "list", "--json").out)["models"]
        if model["name"] == "tiny"
    ]
    assert tiny["accepted_by"].startswith("local:")
    assert tiny["weights"] == "fetched"


def test_who_does_not_accept_is_told_no(
    likeness: Command, arcface: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    likeness("models", "add", arcface, "--name", "tiny", "--form", "arcface")
    monkeypatch.setattr("typer.confirm", lambda question, **_: False)
    assert likeness("models", "accept", "tiny").code == 1
    assert likeness("models", "pull", "tiny").code == 1


def test_a_card_brings_the_weights_beside_it(likeness: Command, tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    card.write_text("{}")
    outcome = likeness("models", "add", card)
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)


@pytest.mark.parametrize("name", ["missing.json", "missing.onnx"])
def test_what_cannot_be_added_is_one_line(likeness: Command, tmp_path: Path, name: str) -> None:
    options = ["--name", "tiny", "--form", "arcface"]
    outcome = likeness("models", "add", tmp_path / name, *options)
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)


def test_config_lists_every_setting_with_its_source(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_FMR", "0.0001")
    settings = {
        setting["name"]: setting
        for setting in json.loads(likeness("config", "show", "--json").out)["settings"]
    }
    assert list(settings) == list(Settings.model_fields)
    assert all(setting["description"] and setting["allowed"] for setting in settings.values())
    assert (settings["fmr"]["value"], settings["fmr"]["source"]) == ("0.0001", "environment")
    assert settings["chips"]["source"] == "default"
    assert "LIKENESS_FMR=0.0001  (environment)" in likeness("config", "show").out


def test_config_shows_even_what_no_command_would_accept(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_CHIPS", "seven")
    assert likeness("models", "list").code == 2
    outcome = likeness("config", "show")
    assert outcome.code == 0
    assert "LIKENESS_CHIPS=seven" in outcome.out
    assert "one, mirrored, six" in " ".join(outcome.out.split())


def test_config_shows_no_secret(likeness: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_DATABASE", "postgresql://user:hidden-7@host/name")
    monkeypatch.setenv("LIKENESS_MILVUS", "http://user:hidden-7@host:19530")
    for arguments in (["config", "show"], ["config", "show", "--json"]):
        outcome = likeness(*arguments)
        assert "LIKENESS_DATABASE" in outcome.out
        assert "@host:19530" in outcome.out
        assert "hidden-7" not in outcome.out
    monkeypatch.delenv("LIKENESS_MILVUS")
    assert "hidden-7" not in repr(read_settings())


def test_every_setting_is_documented() -> None:
    documented = (REPOSITORY / "docs" / "configuration.md").read_text()
    for name in Settings.model_fields:
        assert f"`{PREFIX}{name.upper()}`" in documented


def test_doctor_says_what_is_missing_and_the_command_that_mends_it(likeness: Command) -> None:
    outcome = likeness("doctor")
    assert outcome.code == 2
    assert "to mend it: likeness models pull centerface" in outcome.out
    assert "bf16" in outcome.out or "f32" in outcome.out
    document = json.loads(likeness("doctor", "--json").out)
    assert document["well"] is False
    for finding in document["findings"]:
        assert set(finding) == {"subject", "state", "well", "mend"}
        # A registry's package of our name is not ours.
        assert "pip install likeness" not in (finding["mend"] or "")
        assert "likeness[" not in (finding["mend"] or "")


def test_doctor_names_a_folder_that_cannot_be_written(
    likeness: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "file" / "home"))
    assert "export LIKENESS_HOME=" in likeness("doctor").out


@pytest.mark.models
def test_doctor_is_content_where_all_is_well(
    likeness: Command, monkeypatch: pytest.MonkeyPatch, cache_dir: Path
) -> None:
    monkeypatch.setenv("LIKENESS_CACHE", str(cache_dir))
    outcome = likeness("doctor")
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, "All is well.")
