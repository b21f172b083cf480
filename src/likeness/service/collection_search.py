"""Search a collection of the gallery, as `identify` does."""

from dataclasses import dataclass

from likeness.gallery.gallery import Gallery
from likeness.gallery.search import By
from likeness.service.identify import Found
from likeness.terms.template import Template


@dataclass(frozen=True, slots=True)
class CollectionSearch:
    """One collection, compared with in one way; a `Searched`."""

    gallery: Gallery
    name: str
    by: By

    @property
    def compared(self) -> int:
        """How many references a search compares a probe with, be they fused or not."""
        return self.gallery.size(self.name).references

    def search(self, probe: Template, limit: int) -> list[Found]:
        """Find at most `limit` candidates, most alike first; raises what `Gallery.search` does."""
        return [
            Found(
                one.subject.name if one.subject else None,
                one.reference.id if one.reference else None,
                one.comparison,
            )
            for one in self.gallery.search(self.name, probe, limit, self.by)
        ]
