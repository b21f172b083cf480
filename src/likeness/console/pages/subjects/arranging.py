"""Renaming, merging and splitting people, moving faces between them, and undoing it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from markupsafe import Markup

from likeness.console.pages.collections.inputs import (
    after_number,
    id_in_path,
    ids_sent,
    with_ids,
)
from likeness.console.pages.collections.people import faces_of, first_faces_of
from likeness.console.problems import said_of, status_of
from likeness.console.router import Pages
from likeness.console.visit import Page, Problem, Redirect, Visit, link
from likeness.errors import AlreadyExists, InvalidRequest, NotFound
from likeness.gallery import Subject
from likeness.service.enrol import browse
from likeness.service.enrol import subject_changes as acts
from likeness.service.enrol.browse import SubjectsGone
from likeness.service.enrol.subject_changes import ChangedSubject
from likeness.service.enrol.subjects import ListedSubject
from likeness.service.uses import NoSuchSubject
from likeness.terms import Action

arranging = Pages()

_MOST_FACES, _MOST_SHOWN, _MOST_MEANT = 48, 12, 5
_PERSON = "/collections/{name}/subjects/{subject_id}"


@arranging.shows(f"{_PERSON}/arrange", Action.ARRANGE)
def show_person(visit: Visit) -> Page:
    """Show what can be put right of a person: their name, and which faces are theirs."""
    name, after = visit.params["name"], after_number(visit)
    shown = browse.show_subject(
        visit.home,
        visit.caller("ShowSubject"),
        name,
        id_in_path(visit, "subject_id"),
        after=after,
        limit=_MOST_FACES,
    )
    listed = shown.references.listed
    values = {
        "of": shown.references.collection,
        "subject": shown.subject,
        "page": shown.references,
        "last": shown.last_change,
        "is_first": not after,
        "chosen": visit.form.all("reference") or visit.query.get("reference", "").split(","),
        "names": _names(visit),
        "faces": faces_of(
            visit, shown.references.collection.name, [one.reference.id for one in listed]
        ),
    }
    return Page("subjects/arrange.html", values)


@arranging.does(f"{_PERSON}/arrange", Action.ARRANGE)
def choose_faces(visit: Visit) -> Redirect:
    """Show the same with the faces that were chosen on another page."""
    after = visit.query.get("after", "")
    chosen = with_ids(visit.path, reference=ids_sent(visit, "reference"))
    place = f"{'&' if '?' in chosen else '?'}after={after_number(visit)}" if after else ""
    return Redirect(chosen + place)


@arranging.does(f"{_PERSON}/rename", Action.ARRANGE, again=show_person)
def rename(visit: Visit) -> Redirect:
    """Give a person another name."""
    person, to = _person(visit), visit.form.text("new_name")
    with visit.about("new_name"):
        if to == person.name:
            raise AlreadyExists(visit.t("arrange.same_name"))
        with _plainly(visit, "arrange.renamed_to_taken"):
            done = acts.rename_subject(
                visit.home, visit.caller("RenameSubject"), visit.params["name"], person.name, to
            )
    return _led(visit, done, visit.t("arrange.renamed", name=done.subject.name))


@arranging.does(f"{_PERSON}/faces", Action.ARRANGE, again=show_person)
def give_faces(visit: Visit) -> Redirect:
    """Make the faces that were chosen those of somebody new, or of somebody who is there."""
    person, name = _person(visit), visit.params["name"]
    chosen, to = ids_sent(visit, "reference"), visit.form.text("to")
    with visit.about("to"):
        if not chosen:
            raise InvalidRequest(visit.t("arrange.no_face"))
        if visit.form.text("what") == "move":
            with _offering(visit):
                done = acts.move_references(
                    visit.home, visit.caller("MoveReferences"), name, person.name, to, chosen
                )
            key = "arrange.moved"
        else:
            with _plainly(visit, "arrange.taken"):
                done = acts.split_subject(
                    visit.home, visit.caller("SplitSubject"), name, person.name, to, chosen
                )
            key = "arrange.split_off"
    said = visit.t(key, count=len(done.moved), name=done.others[0].subject.name)
    return _led(visit, done, said)


@arranging.does(f"{_PERSON}/undo", Action.ARRANGE, again=show_person)
def undo(visit: Visit) -> Redirect:
    """Undo the last change of a person, where it still is the one that they were shown."""
    done = acts.undo_subject_change(
        visit.home,
        visit.caller("UndoSubjectChange"),
        visit.params["name"],
        _person(visit).name,
        change_id=next(iter(ids_sent(visit, "change")), None),
    )
    if done.is_gone:
        said = visit.t("arrange.undone_gone", name=done.subject.name)
        return Redirect(link("collections", visit.params["name"], "unnamed"), said)
    others = ", ".join(one.subject.name for one in done.others)
    key = f"arrange.undone_{done.kind.value}"
    return _led(visit, done, visit.t(key, name=done.subject.name, others=others))


@arranging.shows("/collections/{name}/merge", Action.ARRANGE)
def show_merge(visit: Visit) -> Page:
    """Show who are to become one person, and ask who stays."""
    name, ids = visit.params["name"], ids_sent(visit, "subject")
    chosen: list[ListedSubject] = []
    status = 200
    try:
        if ids:
            chosen = browse.name_subjects(visit.home, visit.caller("ListSubjects"), name, ids)
    except SubjectsGone as error:  # of those who were merged already
        visit.problem, status = Problem(said_of(error, visit)), status_of(error)
    most = max(chosen, key=lambda one: one.references, default=None)
    values = {
        "name": name,
        "chosen": chosen,
        "faces": first_faces_of(visit, name, [one.subject.id for one in chosen[:_MOST_SHOWN]]),
        "stays": visit.form.text("into") or (most and str(most.subject.id)) or "",
        "names": _names(visit) if chosen else (),
    }
    return Page("subjects/merge.html", values, status)


@arranging.does("/collections/{name}/merge", Action.ARRANGE, again=show_merge)
def merge(visit: Visit) -> Redirect:
    """Merge who was chosen; what was chosen on another page is asked about first."""
    ids = ids_sent(visit, "subject")
    if not visit.form.has("asked"):
        if not ids:
            raise InvalidRequest(visit.t("merge.nobody"))
        return Redirect(with_ids(visit.path, subject=ids))
    name, typed = visit.params["name"], visit.form.text("into_name")
    with visit.about("into_name"):
        listed = browse.name_subjects(visit.home, visit.caller("ListSubjects"), name, ids)
        names = {str(one.subject.id): one.subject.name for one in listed}
        into = typed or names.get(visit.form.text("into"), "")
        gone = [one for one in names.values() if one != into]
        if not into or not gone:
            raise InvalidRequest(visit.t("merge.one_alone"))
        with _offering(visit):
            done = acts.merge_subjects(visit.home, visit.caller("MergeSubjects"), name, gone, into)
    said = visit.t("merge.done", count=len(done.others), name=done.subject.name)
    return _led(visit, done, said)


@contextmanager
def _plainly(visit: Visit, key: str) -> Iterator[None]:
    """Say without an id that a name is taken."""
    try:
        yield
    except AlreadyExists as error:
        raise AlreadyExists(visit.t(key)) from error


@contextmanager
def _offering(visit: Visit) -> Iterator[None]:
    """Where nobody has a name, say who has one that holds it."""
    try:
        yield
    except NoSuchSubject as error:
        like = browse.find_subjects(
            visit.home,
            visit.caller("ListSubjects"),
            visit.params["name"],
            error.name,
            after=0,
            limit=_MOST_MEANT,
        ).listed
        if not like:
            raise
        names = ", ".join(one.subject.name for one in like)
        raise NotFound(visit.t("arrange.nobody_but", name=error.name, names=names)) from error


def _names(visit: Visit) -> Sequence[str]:
    """Give the names to offer where one is typed."""
    return browse.names_to_offer(visit.home, visit.caller("ListSubjects"), visit.params["name"])


def _person(visit: Visit) -> Subject:
    """Find the person of the address."""
    (found,) = browse.name_subjects(
        visit.home,
        visit.caller("ListSubjects"),
        visit.params["name"],
        [id_in_path(visit, "subject_id")],
    )
    return found.subject


def _led(visit: Visit, done: ChangedSubject, said: Markup) -> Redirect:
    """Lead to whoever was changed, with what there is to look at."""
    to = link("collections", visit.params["name"], "subjects", done.subject.id, "arrange")
    return Redirect(to, said, remark=Markup(" ").join(done.remarks))
