"""Who is in the demonstration, and in which photographs; all of them are in the public domain.

The samples hold three people, and another photograph of one of them only. So two are enrolled, the
third is the face that nobody enrolled, and Joe Biden's second picture is an altered copy of his
first, which every caption says.
"""

from dataclasses import dataclass

from likeness.artifacts import PinnedFile, catalogue
from likeness.demo.group_picture import ALTERATIONS


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, the photograph enrolled and the one in the group picture.

    Without `enrolled` the person is a stranger to the gallery. `altered` is whether the group
    picture shows a visibly altered copy.
    """

    name: str
    enrolled: PinnedFile | None
    shown: PinnedFile
    altered: bool

    @property
    def told(self) -> str:
        """What the group picture shows of this person, in a few words."""
        if self.enrolled is None:
            return "not enrolled"
        return "ALTERED COPY of the one enrolled" if self.altered else "another photograph"

    @property
    def told_at_length(self) -> str:
        """The same in two lines."""
        if self.enrolled is None:
            return "Nobody enrolled her: the right answer\nis no match."
        if self.altered:
            return f"ALTERED COPY of the photograph enrolled:\n{ALTERATIONS}."
        return "Another photograph than the one\nthat was enrolled."


PEOPLE = (
    Person("Barack Obama", catalogue.OBAMA, catalogue.OBAMA_2, altered=False),
    Person("Joe Biden", catalogue.BIDEN, catalogue.BIDEN, altered=True),
    Person("Eileen Collins", None, catalogue.ASTRONAUT, altered=False),
)
