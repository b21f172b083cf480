"""Who is searched: the very collection that was found, whatever has its name meanwhile."""

import pytest

from likeness.errors import NotFound
from likeness.gallery.gallery import Gallery
from tests.gallery import erase
from tests.gallery.galleries import make, new, template


def test_a_collection_that_took_the_name_of_one_found_before_is_not_searched(
    gallery: Gallery,
) -> None:
    gallery.enrol("staff", [new(1, "Ada")])
    found = gallery.collection("staff")
    assert gallery.search_in(found, template(1), 1)

    erase.collection(gallery, "staff")
    make(gallery, "staff")
    gallery.enrol("staff", [new(1, "Grace")])

    with pytest.raises(NotFound, match="is erased"):
        gallery.search_in(found, template(1), 1)
