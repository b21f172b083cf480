"""Erasing people, or single references of theirs, once somebody is sure."""

from markupsafe import Markup

from likeness.console.pages.collections.inputs import ids_sent, with_ids
from likeness.console.problems import said_of, status_of
from likeness.console.router import Pages
from likeness.console.visit import Page, Problem, Redirect, Visit, link
from likeness.errors import InvalidRequest, NotFound
from likeness.gallery import ErasureCertificate
from likeness.service.enrol import browse
from likeness.service.enrol.browse import SubjectsGone
from likeness.service.enrol.subjects import ListedSubject
from likeness.service.erase.erase import erase_references
from likeness.service.erase.subjects import erase_subjects
from likeness.service.uses import NoSuchCollection
from likeness.terms import Action

erasing = Pages()


@erasing.shows("/collections/{name}/erase", Action.ERASE)
def ask_whether_sure(visit: Visit) -> Page:
    """Show who is to be erased, and ask whether that is meant."""
    name, ids = visit.params["name"], ids_sent(visit, "subject")
    subjects: list[ListedSubject] = []
    status = 200
    try:
        if ids:
            subjects = browse.name_subjects(visit.home, visit.caller("ListSubjects"), name, ids)
        elif not ids_sent(visit, "reference"):
            raise InvalidRequest(visit.t("erase.nobody"))
    except (InvalidRequest, SubjectsGone) as error:  # of those who were erased already
        visit.problem, status = Problem(said_of(error, visit)), status_of(error)
    values = {
        "name": name,
        "subjects": subjects,
        "references": sum(one.references for one in subjects),
        "single": ids_sent(visit, "reference"),
    }
    return Page("collections/erase.html", values, status)


@erasing.does("/collections/{name}/erase", Action.ERASE, again=ask_whether_sure)
def erase(visit: Visit) -> Redirect:
    """Erase who was chosen; what was chosen on another page is asked about first."""
    name, form = visit.params["name"], visit.form
    subject_ids, reference_ids = ids_sent(visit, "subject"), ids_sent(visit, "reference")
    if not (subject_ids or reference_ids):
        raise InvalidRequest(visit.t("erase.nobody"))
    if not form.has("asked"):
        return Redirect(with_ids(visit.path, subject=subject_ids, reference=reference_ids))
    with visit.about("sure"):
        if not form.has("sure"):
            raise InvalidRequest(visit.t("erase.not_sure"))
    if subject_ids:
        certificate = erase_subjects(
            visit.home,
            visit.caller("erase"),
            name,
            subject_ids,
            lambda subjects, references: None,
            keep_watches=form.has("keep_watches"),
        )
    else:
        try:
            certificate = erase_references(
                visit.home, visit.caller("erase"), name, reference_ids, lambda of: None
            )
        except NoSuchCollection:
            raise
        except NotFound as error:
            raise NotFound(visit.t("erase.references_gone")) from error
    return _led(visit, name, certificate)


def _led(visit: Visit, name: str, certificate: ErasureCertificate) -> Redirect:
    said = visit.t(
        "erase.done",
        people=_counted(visit, "people", certificate.erased.subjects),
        references=_counted(visit, "references", certificate.erased.references),
        id=certificate.id,
    )
    if visit.may(Action.AUDIT):
        return Redirect(link("certificates", certificate.id), said)
    return Redirect(link("collections", name), said)


def _counted(visit: Visit, what: str, number: int) -> Markup:
    """Say how many `people` or `references` there are."""
    return visit.t(f"collections.{what}_counted", count=number, number=f"{number:,}")
