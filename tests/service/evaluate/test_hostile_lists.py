"""Whatever is in a list, it is planned or refused, and every row that is left out is said."""

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import InvalidRequest
from likeness.service.evaluate.readers import (
    plan_of_manifest,
    plan_of_pairs,
    plan_of_scores,
    read_labels,
    read_scores,
)
from likeness.service.evaluate.systems.score_file import ScoreFile
from likeness.service.evaluate.trials import Plan

_PICTURES = ("a.jpg", "b.jpg", "c.jpg")
_WORDS = st.sampled_from(
    (
        *(
            *_PICTURES,
            "",
            " ",
            "0",
            "1",
            "same",
            "nan",
            "-inf",
            "1e999",
            "1e-400",
            "0.5",
            "99",
            "Ada",
        ),
        *(
            "A\u030a",
            "\u00c5",
            "../a.jpg",
            "/etc/passwd",
            "a.jpg/",
            "./a.jpg",
            "a.jpg/../b.jpg",
            "\t",
        ),
        *("'=x", "=x", "\x00", "\x07", "\ufeff", "\u2028", "x" * 300, "1_0", "\u0661", "A\t1\t2"),
        *("'", "''", '"', ",", ";", "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")),
    )
)
_ROWS = st.lists(st.lists(_WORDS, max_size=6).map(",".join), max_size=6)


def lists(*heads: str) -> st.SearchStrategy[str]:
    return st.builds(lambda head, rows: "\n".join([head, *rows]), st.sampled_from(heads), _ROWS)


def check(plan: Plan) -> None:
    assert len(plan.samples) == len(plan.digests) == plan.data.images > 0
    assert len({sample.name for sample in plan.samples}) == len(plan.samples)
    assert all(sample.subject for sample in plan.samples)
    if plan.pairs is not None:
        assert plan.pairs.dtype == np.int32
        assert ((plan.pairs >= 0) & (plan.pairs < len(plan.samples))).all()
        assert (plan.pairs[:, 0] != plan.pairs[:, 1]).all()
        assert len({frozenset(pair) for pair in plan.pairs.tolist()}) == len(plan.pairs)
    plan.counted(np.zeros(len(plan.samples), bool))


def folder_with(text: str, folder: str) -> Path:
    for name in _PICTURES:
        (Path(folder) / name).write_text(name)
    path = Path(folder) / "list.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


@given(lists("path,subject", "path,subject,sex,age", "subject;path", "path,path", "path", ""))
@settings(max_examples=40)
def test_manifests(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = folder_with(text, folder)
        for has_identities in (True, False):
            try:
                check(plan_of_manifest(path, has_identities=has_identities))
            except InvalidRequest as error:
                assert "\n" not in str(error)
        try:
            read_labels(path)
        except InvalidRequest as error:
            assert "\n" not in str(error)


@given(
    lists(
        "path_a,path_b,same",
        "path_a,path_b,subject_a,subject_b",
        "path_a,path_b",
        "1",
        "2\t1",
        "0",
    )
)
@settings(max_examples=40)
def test_pairs(text: str) -> None:
    with TemporaryDirectory() as folder:
        try:
            check(plan_of_pairs(folder_with(text, folder)))
        except InvalidRequest as error:
            assert "\n" not in str(error)


@given(
    lists("path_a,path_b,score,same", "path_a,path_b,score,failure,same", "path_a,path_b,score,")
)
@settings(max_examples=40)
def test_scores(text: str) -> None:
    with TemporaryDirectory() as folder:
        try:
            rows = read_scores(folder_with(text, folder))
            plan = plan_of_scores(rows)
            check(plan)
            scored = ScoreFile(rows).score(plan, lambda done, total: None)
        except InvalidRequest as error:
            assert "\n" not in str(error)
            return
        assert scored.comparisons is not None
        assert all(score < math.inf for score in scored.comparisons.scores.tolist())
        assert len(scored.comparisons) == len(plan.pairs if plan.pairs is not None else ())
