"""The gallery over Milvus: its own suite, and a server that goes away and comes back."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pymilvus import MilvusClient

from likeness.errors import IndexUnavailable
from likeness.gallery import By, Gallery, MakeIndex, erasure_rows
from likeness.index import milvus_index
from likeness.secrets import Keyring
from tests.gallery import erase, galleries
from tests.gallery.changing import begin_model, fill, new_template, stage
from tests.gallery.galleries import length, make, new, template
from tests.gallery.test_assignment import (  # noqa: F401
    test_dissolved_subject_is_gone_and_the_references_stay,
    test_given_and_taken_references_are_searched_as_such_at_once,
    test_reference_given_in_the_same_act_as_it_is_enrolled_is_followed,
)

# What every index has to do is said once; here it is done over Milvus.
from tests.gallery.test_erasure import (  # noqa: F401
    subject_named,
    test_certificate_fails_where_something_came_back,
    test_erased_collection_leaves_nothing_and_others_alone,
    test_erased_references_leave_their_subject_with_the_others,
    test_erased_subject_is_found_nowhere_and_the_certificate_holds,
    test_erasure_is_finished_at_the_next_start,
    test_snapshot_that_cannot_be_read_does_not_keep_anybody,
    test_subject_without_references_stays_until_erased,
    test_sweep_erases_what_is_due_and_nothing_else,
)
from tests.gallery.test_gallery import (  # noqa: F401
    names,
    test_best_candidate_comes_first,
    test_empty_collection_has_no_candidates,
    test_even_score_decides_over_the_raw_one,
    test_face_enrolled_twice_is_refused_and_nothing_with_it_stays,
    test_many_threads_enrol_and_search,
    test_no_number_is_used_again,
    test_service_puts_rows_of_its_own_into_the_same_transaction,
    test_subject_comes_once_by_the_best_reference,
    test_subject_is_compared_by_the_mean_of_their_references,
    test_wrong_key_opens_nothing_and_loses_nothing,
)
from tests.gallery.test_staging import (  # noqa: F401
    test_erased_collection_takes_its_change_and_its_cohort_along,
    test_erased_subject_is_staged_no_more,
    test_nothing_is_other_than_before_until_everything_is,
    test_reference_enrolled_meanwhile_keeps_the_switch_back,
    test_what_happens_while_a_switch_is_prepared_is_in_the_new_indexes,
)
from tests.index.indexes import MilvusServer, milvus_server

pytestmark = [pytest.mark.services, pytest.mark.slow]

_TRIES = 300


class Home(galleries.Home):
    """A home whose vectors lie in Milvus."""

    def __init__(self, folder: Path, address: str) -> None:
        super().__init__(f"sqlite:///{folder / 'likeness.db'}", folder)
        self._make_index = partial(milvus_index.MilvusIndex, address)

    def open(self, make_index: MakeIndex | None = None, keyring: Keyring | None = None) -> Gallery:
        return super().open(make_index or self._make_index, keyring)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path, milvus_server().address)
    with home.database:
        yield home


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MilvusServer]:
    """A server of the test's own, which it may stop."""
    server = MilvusServer(tmp_path / "milvus")
    yield server
    server.stop()


@pytest.fixture
def fragile_home(tmp_path: Path, server: MilvusServer) -> Iterator[Home]:
    home = Home(tmp_path, server.address)
    with home.database:
        yield home


def filled(home: Home) -> Gallery:
    gallery = home.open()
    make(gallery)
    for person in range(30):
        gallery.enrol("staff", [new(2 * person + n, f"person {person}") for n in range(2)])
    for by in By:
        gallery.search("staff", template(0), 1, by)
    return gallery


def found_when_back(gallery: Gallery, seed: int, by: By, limit: int = 1) -> list[str | None]:
    """Search until the client sees that the server is back."""
    for _ in range(_TRIES):
        try:
            return names(gallery.search("staff", template(seed), limit, by))
        except IndexUnavailable:
            time.sleep(0.1)
    return names(gallery.search("staff", template(seed), limit, by))


def test_what_is_enrolled_while_the_server_is_away_is_found_when_it_is_back(
    fragile_home: Home, server: MilvusServer
) -> None:
    with filled(fragile_home) as gallery:
        server.stop()
        gallery.enrol("staff", [new(100, "late")])
        for by in By:
            with pytest.raises(IndexUnavailable, match="Start it or mend its address"):
                gallery.search("staff", template(100), 1, by)
        assert gallery.size("staff").references == 61

        server.start()
        for by in By:
            assert found_when_back(gallery, 100, by) == ["late"]


@pytest.mark.parametrize("reopened", [False, True])
def test_erasure_that_the_server_was_away_for_is_finished_when_it_is_back(
    fragile_home: Home, server: MilvusServer, reopened: bool
) -> None:
    gallery = filled(fragile_home)
    person = subject_named(fragile_home, gallery, "person 7")
    server.stop()
    with pytest.raises(IndexUnavailable):
        erase.subject(gallery, "staff", person.id)
    assert gallery.size("staff").subjects == 29
    if reopened:
        gallery.close()
        gallery = fragile_home.open()
        with pytest.raises(IndexUnavailable):
            gallery.search("staff", template(14), 1)
    assert len(fragile_home.database.read(erasure_rows.pending)) == 1

    server.start()
    for by in By:
        assert "person 7" not in found_when_back(gallery, 14, by, limit=60)
    (certificate,) = gallery.erasing.finish_pending()
    assert gallery.erasing.verify(certificate).holds
    gallery.close()


def test_certificate_says_what_milvus_keeps(home: Home, gallery: Gallery) -> None:
    (enrolled,) = gallery.enrol("staff", [new(1, "Ada")])
    for certificate in (
        erase.some_references(gallery, "staff", [enrolled.id]),
        erase.collection(gallery, "staff"),
    ):
        assert any("until it compacts" in place for place in certificate.out_of_reach)


def test_erased_collection_and_replaced_model_leave_no_collection_in_milvus(home: Home) -> None:
    address = milvus_server().address
    client = MilvusClient(uri=address)
    with home.open() as gallery:
        make(gallery)
        fill(gallery, 3)

        def held() -> int:
            hex_id = gallery.collection("staff").id.hex
            return sum(hex_id in name for name in client.list_collections())

        assert held() == 2
        change = begin_model(home, gallery)
        stage(home, gallery, change)
        gallery.switch(change)
        for by in By:
            gallery.search("staff", new_template(0), 1, by)
        assert held() == 2
        hex_id = gallery.collection("staff").id.hex
        erase.collection(gallery, "staff")
        assert not any(hex_id in name for name in client.list_collections())
    client.close()


@pytest.mark.parametrize("reopened", [False, True])
def test_server_that_came_back_empty_is_filled_from_the_rows(
    fragile_home: Home, server: MilvusServer, reopened: bool
) -> None:
    gallery = filled(fragile_home)
    gallery.snapshot("staff")
    server.stop()
    server.forget()
    server.start()
    if reopened:
        gallery.close()
        gallery = fragile_home.open()

    with gallery:
        for by in By:
            assert found_when_back(gallery, 0, by) == ["person 0"]
        for seed in (1, 31, 59):
            best = gallery.search("staff", template(seed), 1)
            assert names(best) == [f"person {seed // 2}"]
        opened = gallery.open("staff")[1]
        assert (length(opened.references), length(opened.subjects)) == (60, 30)


def test_enrolment_needs_no_server(fragile_home: Home, server: MilvusServer) -> None:
    server.stop()
    with fragile_home.open() as gallery:
        make(gallery)
        gallery.enrol("staff", [new(1, "Ada")])
        with pytest.raises(IndexUnavailable):
            gallery.search("staff", template(1), 1)
        server.start()
        assert found_when_back(gallery, 1, By.BEST) == ["Ada"]
