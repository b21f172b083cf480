"""Who is in a collection: people by page or by name, one of them, and all references."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from likeness.console.pages.collections.inputs import after_number, id_in_path
from likeness.console.pictures import address_of_jpeg
from likeness.console.problems import said_of, status_of
from likeness.console.router import Pages
from likeness.console.visit import Page, Problem, Visit
from likeness.errors import Denied, InputError
from likeness.gallery import Collection
from likeness.service.enrol import browse, collections
from likeness.service.enrol import subjects as acts
from likeness.service.uses import NoSuchSubject, stated_purpose
from likeness.terms import Action

people = Pages()

MOST_LISTED = 50
MOST_FACES = 24


@people.shows("/collections/{name}", Action.READ)
def show_people(visit: Visit) -> Page:
    """Show what a collection is, and who is in it: a page of them, or those of some words."""
    name, words = visit.params["name"], visit.query.get("q", "").strip()
    after = after_number(visit)
    caller = visit.caller("ListSubjects")
    found, status = None, 200
    if words:
        try:
            found = browse.find_subjects(
                visit.home, caller, name, words, after=after, limit=MOST_LISTED
            )
        except InputError as error:
            visit.problem, status = Problem(said_of(error, visit), "q"), status_of(error)
    is_by_name = False
    if found is None:
        shown = browse.list_in_order(visit.home, caller, name, after=after, limit=MOST_LISTED)
        page, is_by_name = shown.page, shown.is_by_name
        of, listed, end = page.collection, page.listed, page.after
    else:
        of, listed, end = found.collection, found.listed, found.after
    values = {
        "of": of,
        "listed": listed,
        "after": end,
        "is_first": not after,
        "is_by_name": is_by_name,
        "words": words,
        "looked_through": None if found is None else found.looked_through,
    }
    return Page("collections/people.html", values, status)


@people.shows("/collections/{name}/subjects/{subject_id}", Action.READ)
def show_subject(visit: Visit) -> Page:
    """Show one person, and the references that they have."""
    return Page("collections/subject.html", subject_values(visit))


def subject_values(visit: Visit) -> dict[str, Any]:
    """Give what the page of a person shows."""
    name, subject_id = visit.params["name"], id_in_path(visit, "subject_id")
    after = after_number(visit)
    shown = browse.show_subject(
        visit.home,
        visit.caller("ShowSubject"),
        name,
        subject_id,
        after=after,
        limit=MOST_FACES,
    )
    page = shown.references
    return {
        "of": page.collection,
        "subject": shown.subject,
        "page": page,
        "last": shown.last_change,
        "is_first": not after,
        "faces": faces_of(visit, page.collection.name, [one.reference.id for one in page.listed]),
        "blurred": is_blurred(visit, page.collection),
    }


@people.shows("/collections/{name}/references", Action.READ)
def show_references(visit: Visit) -> Page:
    """Show the references of a collection: a page of them, or those of somebody or an id."""
    name, named = visit.params["name"], visit.query.get("named", "").strip()
    after = after_number(visit)
    caller = visit.caller("ListReferences")
    page, status = None, 200
    try:
        page = acts.list_references(
            visit.home,
            caller,
            name,
            subject=named or None,
            after=lambda of: after,
            limit=MOST_FACES,
        )
    except (InputError, NoSuchSubject) as error:
        if not named:
            raise
        said: str = visit.t("collections.nobody_named")
        if isinstance(error, InputError):
            said = said_of(error, visit)
        visit.problem, status = Problem(said, "named"), status_of(error)
    of = page.collection if page else collections.describe_collection(visit.home, caller, name)
    ids = [one.reference.id for one in page.listed] if page else []
    values = {
        "of": of,
        "page": page,
        "named": named,
        "is_first": not after,
        "faces": faces_of(visit, of.name, ids),
        "blurred": is_blurred(visit, of),
    }
    return Page("collections/references.html", values, status)


def is_blurred(visit: Visit, of: Collection) -> bool:
    """Say whether pictures of faces are shown blurred, as some purposes ask for."""
    purpose, _ = stated_purpose(visit.principal, None)
    is_to_be = browse.faces_open_blurred(of, purpose)
    return is_to_be and visit.query.get("unblurred") != "yes"


def first_faces_of(
    visit: Visit, name: str, subject_ids: Sequence[UUID], each: int = 3
) -> dict[UUID, list[str]]:
    """Give pictures of some people as addresses, as `faces_of` does; a few of each."""
    if not (subject_ids and visit.home.keeps_crops and visit.may(Action.REVIEW)):
        return {}
    first = browse.list_first_references(
        visit.home, visit.caller("ListReferences"), name, subject_ids, each=each
    )
    faces = faces_of(visit, name, [one for some in first.values() for one in some])
    return {
        subject_id: [faces[one] for one in some if one in faces]
        for subject_id, some in first.items()
    }


def faces_of(visit: Visit, name: str, reference_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Give pictures of faces as addresses, where some are kept and whoever asks may see them."""
    if not (reference_ids and visit.home.keeps_crops and visit.may(Action.REVIEW)):
        return {}
    try:
        crops_jpeg = browse.show_faces(
            visit.home,
            visit.caller("ShowReferenceFaces"),
            name,
            reference_ids,
            unblurred=visit.query.get("unblurred") == "yes",
        )
    except Denied:  # then the list does without
        return {}
    return {one: address_of_jpeg(crop_jpeg) for one, crop_jpeg in crops_jpeg.items()}
