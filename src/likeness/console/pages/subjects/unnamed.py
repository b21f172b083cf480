"""Faces that nobody named: who of them is likely one person, to name or to set aside."""

from functools import partial

from markupsafe import Markup

from likeness.console.pages.background_acts import begin, last_act
from likeness.console.pages.collections.inputs import place_in_list
from likeness.console.pages.collections.people import faces_of, first_faces_of
from likeness.console.router import Pages
from likeness.console.visit import Page, Redirect, Visit, link
from likeness.errors import Conflict, InvalidRequest
from likeness.service.enrol import unnamed as acts
from likeness.service.enrol.proposals import Proposal, ProposedPerson, propose_people
from likeness.service.enrol.subject_changes import name_references
from likeness.service.enrol.unnamed import ListedPerson, ListedUnnamed
from likeness.terms import Action

unnamed = Pages()

_KIND = "unnamed"
_MOST_PEOPLE, _MOST_FACES = 12, 6


@unnamed.shows("/collections/{name}/unnamed", Action.ARRANGE)
def show_unnamed(visit: Visit) -> Page:
    """Show the people who are proposed, the largest groups first."""
    last = last_act(visit, _KIND, visit.params["name"])
    proposal: Proposal | None = last.answer
    listed = _listed(visit, () if proposal is None else proposal.people)
    shown = [each.id for one in listed.people for each in one.shown]
    alike = list(dict.fromkeys(one.like.id for one in listed.people if one.like is not None))
    values = {
        "of": listed.collection,
        "listed": listed,
        "proposal": proposal,
        "work": last.work,
        "failed": last.failed,
        "faces": faces_of(visit, listed.collection.name, shown),
        "known": first_faces_of(visit, listed.collection.name, alike),
    }
    return Page("subjects/unnamed.html", values)


@unnamed.does("/collections/{name}/unnamed/group", Action.SEARCH, again=show_unnamed)
def group(visit: Visit) -> Redirect:
    """Group the faces that nobody named; from where the last look ended, if that is asked."""
    after = place_in_list(visit, visit.form.text("after"))
    caller, name = visit.caller("ProposePeople", visit.form.text("purpose")), visit.params["name"]
    act = partial(propose_people, visit.home, caller, name, after=after)
    begin(visit, _KIND, lambda tell: act(tell=tell), name)
    return _back(visit)


@unnamed.does("/collections/{name}/unnamed/name", Action.ARRANGE, again=show_unnamed)
def give_name(visit: Visit) -> Redirect:
    """Say whose the faces of a group are, without those that were left out."""
    key, name = visit.form.text("person"), visit.params["name"]
    with visit.about(f"to-{key}"):
        person = _person(visit, key)
        left_out = set(visit.form.all("without"))
        ids = [one for one in person.reference_ids if str(one) not in left_out]
        if not ids:
            raise InvalidRequest(visit.t("unnamed.all_left_out"))
        to = visit.form.text(f"to-{key}")
        if visit.form.has("like"):
            if person.like is None or str(person.like.id) != visit.form.text("like"):
                raise Conflict(visit.t("unnamed.like_is_gone"))
            to = person.like.name
        done = name_references(visit.home, visit.caller("NameReferences"), name, to, ids)
    said = visit.t(
        "unnamed.named",
        count=len(done.moved),
        name=done.subject.name,
        link=link("collections", name, "subjects", done.subject.id, "arrange"),
    )
    remark = Markup(" ").join(done.remarks)
    return Redirect(link("collections", name, "unnamed"), said, remark=remark)


@unnamed.does("/collections/{name}/unnamed/aside", Action.ARRANGE, again=show_unnamed)
def set_aside(visit: Visit) -> Redirect:
    """Propose the faces of some groups no more."""
    people = [_person(visit, key) for key in visit.form.all("person")]
    if not people:
        raise InvalidRequest(visit.t("unnamed.nobody"))
    ids = [each for one in people for each in one.reference_ids]
    count = acts.set_aside(visit.home, visit.caller("SetFacesAside"), visit.params["name"], ids)
    return _back(visit, "unnamed.set_aside", count)


@unnamed.does("/collections/{name}/unnamed/again", Action.ARRANGE, again=show_unnamed)
def propose_again(visit: Visit) -> Redirect:
    """Propose all faces again that were set aside."""
    count = acts.propose_again(visit.home, visit.caller("ProposeFacesAgain"), visit.params["name"])
    return _back(visit, "unnamed.listed_again", count)


def _listed(visit: Visit, people: tuple[ProposedPerson, ...]) -> ListedUnnamed:
    return acts.list_unnamed(
        visit.home,
        visit.caller("ListUnnamedFaces"),
        visit.params["name"],
        people,
        limit=_MOST_PEOPLE,
        shown=_MOST_FACES,
    )


def _person(visit: Visit, key: str) -> ListedPerson:
    """Find a person who was proposed, with the faces that are nobody's still.

    Raises:
        Conflict: the proposal is another by now, or the faces are somebody's.
    """
    proposal: Proposal | None = last_act(visit, _KIND, visit.params["name"]).answer
    meant = tuple(one for one in (proposal.people if proposal else ()) if one.key == key)
    listed = _listed(visit, meant)
    if not listed.people:
        raise Conflict(visit.t("unnamed.is_gone"))
    return listed.people[0]


def _back(visit: Visit, key: str | None = None, count: int = 0) -> Redirect:
    said = None if key is None else visit.t(key, count=count)
    return Redirect(link("collections", visit.params["name"], "unnamed"), said)
