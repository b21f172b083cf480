"""Certificates of erasures: a list, each again as it was issued, and whether it still holds."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from likeness.console.background import Tell
from likeness.console.pages.background_acts import begin, last_act
from likeness.console.pages.collections.inputs import id_in_path
from likeness.console.problems import said_of, status_of
from likeness.console.router import Pages
from likeness.console.visit import Download, Page, Problem, Redirect, Visit, link
from likeness.errors import InputError, InvalidRequest, NotFound
from likeness.gallery import Verification
from likeness.service.erase import certificates as acts
from likeness.terms import Action

certificates = Pages()

_MOST_LISTED = 50
_VERIFICATION = "verify certificate"


@dataclass(frozen=True, slots=True)
class _Verified:
    """What a look has found, and when."""

    found: Verification
    at: datetime


@certificates.shows("/certificates", Action.AUDIT)
def show_certificates(visit: Visit) -> Page:
    """List erasures, the newest first: all, or those of a collection."""
    of, page, status = visit.query.get("collection", "").strip(), None, 200
    after = _after(visit)
    try:
        page = acts.list_certificates(
            visit.home,
            visit.caller("ListCertificates"),
            collection=of or None,
            after=after,
            limit=_MOST_LISTED,
        )
    except (InputError, NotFound) as error:
        if not of:
            raise
        visit.problem, status = Problem(said_of(error, visit), "collection"), status_of(error)
    values = {"page": page, "collection": of, "is_first": after is None}
    return Page("collections/certificates.html", values, status)


@certificates.shows("/certificates/{certificate_id}", Action.AUDIT)
def show_certificate(visit: Visit) -> Page:
    """Show a certificate, and what the last look found that they asked for."""
    certificate_id = id_in_path(visit, "certificate_id")
    found = acts.show_certificate(visit.home, visit.caller("ShowCertificate"), certificate_id)
    last = last_act(visit, _VERIFICATION, certificate_id)
    values = {
        "certificate": found,
        "collection": visit.home.name_of_collection(found.collection_id),
        "verified": last.answer,
        "work": last.work,
        "failed": last.failed,
    }
    return Page("collections/certificate.html", values)


@certificates.shows("/certificates/{certificate_id}/file", Action.AUDIT)
def give_certificate(visit: Visit) -> Download:
    """Give a certificate as a file, as `likeness collections verify` reads it."""
    found = acts.show_certificate(
        visit.home, visit.caller("ShowCertificate"), id_in_path(visit, "certificate_id")
    )
    content = f"{json.dumps(found.as_json(), indent=2)}\n".encode()
    return Download(content, "application/json", f"erasure-{found.id}.json")


@certificates.does("/certificates/{certificate_id}", Action.AUDIT, again=show_certificate)
def verify_certificate(visit: Visit) -> Redirect:
    """Look whether anything is left of what a certificate says is gone, however long it takes."""
    certificate_id = id_in_path(visit, "certificate_id")
    home, caller = visit.home, visit.caller("VerifyCertificate")
    certificate = acts.show_certificate(home, caller, certificate_id)

    def look(tell: Tell) -> _Verified:
        return _Verified(acts.verify_certificate(home, caller, certificate), home.clock())

    begin(visit, _VERIFICATION, look, certificate_id)
    return Redirect(link("certificates", certificate_id))


def _after(visit: Visit) -> UUID | None:
    given = visit.query.get("after", "")
    try:
        return UUID(given) if given else None
    except ValueError as error:
        raise InvalidRequest(visit.t("collections.no_place")) from error
