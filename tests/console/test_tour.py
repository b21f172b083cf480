"""The tour of a first start: somebody new finds, enrols and recognises people."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from likeness.app import console, serving
from likeness.console.visit import Offered, Photograph
from tests.cli.conftest import ship_standards
from tests.console.conftest import Pages
from tests.rekognition.conftest import serving_discs
from tests.rekognition.operations.discs import BLUE, RED, disc

SAMPLES = (
    Photograph("Ann", "Ann", disc(RED, side=160)),
    Photograph("Ann, another photograph", "Ann", disc(RED, side=130)),
    Photograph("Bob", "Bob", disc(BLUE, side=160)),
)


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    """A server that was just started, with sample people who are discs."""

    def with_samples(*given: Any) -> Offered:
        return replace(console.offered_to_pages(*given), samples=SAMPLES)

    monkeypatch.setattr(serving, "offered_to_pages", with_samples)
    with serving_discs(tmp_path / "home", ship_standards(tmp_path / "shipped")) as (running, on):
        pages = Pages(running, on)
        with pages.opened:
            yield pages


def test_somebody_new_finds_enrols_and_recognises(new: Pages) -> None:
    person = new.person()
    first = person.see("/console/try")
    assert "New here?" in first.text
    assert "/console/tour" in first.links

    assert first.links.count("/console/tour") == 1
    tour = person.see("/console/tour")
    assert "/console/try?tour=1&sample=0" in tour.links
    assert "Done" not in tour.text
    assert tour.html.count('class="button"') == 1  # of the first step
    assert tour.html.count("<figcaption>") == 2  # Ann and Bob; her other photograph is to be found

    find = person.see("/console/try", tour="1", sample="0")
    assert "Step 1 of 3 of the tour" in find.text
    has_found = person.send(find, "/console/try")
    assert "1 face." in has_found.text
    assert "put one of your own in its place" in has_found.text
    assert "/console/tour?done=1" in has_found.links

    tour = person.see("/console/tour", done="1")
    assert tour.text.count("✓ Done") == 1
    assert "<button>" in tour.html
    ready = person.send(tour, "/console/tour/enrol")
    assert ready.path == "/console/try/search"
    assert "2 people are enrolled." in ready.text
    assert "Step 3 of 3 of the tour" in ready.text
    recognised = person.send(ready, "/console/try/search")
    assert "Likely Ann:" in recognised.text
    assert "CollectionId='sample-people'" in recognised.text
    assert "/console/tour?done=3" in recognised.links

    assert person.see("/console/tour").text.count("✓ Done") == 2
    over = person.see("/console/tour", done="3")
    assert over.text.count("✓ Done") == 3
    links = {"/console/collections/sample-people/settings", "/console/review", "/console/in-force"}
    assert links <= set(over.links)

    again = person.send(person.see("/console/tour"), "/console/tour/enrol")
    assert again.status == 200
    assert "New here?" not in person.see("/console/try").text


def test_samples_are_shown_small(new: Pages) -> None:
    shown = new.person().client.get("/console/try/samples/1")
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.content.startswith(b"\xff\xd8")


def test_without_samples_the_tour_is_with_pictures_of_ones_own(pages: Pages) -> None:
    person = pages.person()
    tour = person.see("/console/tour")
    assert tour.status == 200
    assert "/console/collections" in tour.links
    csrf = dict(tour.forms[0].fields)["csrf"]
    sent = person.client.post("/console/tour/enrol", data={"csrf": csrf})
    assert sent.status_code == 400
    assert "never fetched" in sent.text
