"""`likeness secrets`, through the real command."""

import json

import pytest

from .conftest import RED
from .staff import Command, Make, employ

GIVEN = "A" * 43 + "="


def test_keys_are_listed_by_their_ids_alone(likeness: Command, picture: Make) -> None:
    employ(likeness, picture)
    outcome = likeness("secrets", "list")
    (key,) = json.loads(likeness("secrets", "list", "--json").out)["keys"]
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"{key['id']}  1 collection, 1 other secret, seals\n"


def test_a_rotation_leaves_one_new_key_and_all_people(likeness: Command, picture: Make) -> None:
    employ(likeness, picture)
    (old,) = json.loads(likeness("secrets", "list", "--json").out)["keys"]
    outcome = likeness("secrets", "rotate")
    assert (outcome.code, outcome.err) == (0, "")
    assert "has sealed 2 secrets anew" in outcome.out
    assert f"{old['id']} is destroyed" in outcome.out
    (new,) = json.loads(likeness("secrets", "list", "--json").out)["keys"]
    assert new == {"id": outcome.out.split()[0], "collections": 1, "other_secrets": 1}
    assert likeness("identify", "--collection", "staff", picture("probe.png", RED)).code == 0


def test_a_key_from_elsewhere_is_rotated_there_first(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_KEYS", GIVEN)
    likeness("collections", "create", "staff")
    outcome = likeness("secrets", "rotate")
    assert (outcome.code, outcome.out) == (2, "")
    assert "Put a new one in front of the others" in outcome.err
    monkeypatch.setenv("LIKENESS_KEYS", f"{'B' * 43}= {GIVEN}")
    outcome = likeness("secrets", "rotate")
    assert outcome.code == 0
    assert "seals nothing any more. Remove it" in outcome.out
    assert GIVEN not in outcome.out
    monkeypatch.setenv("LIKENESS_KEYS", f"{'B' * 43}=")
    assert likeness("doctor", "--json").out.count("sealed by a key that is not here") == 0
