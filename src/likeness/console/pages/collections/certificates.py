"""Certificates of erasures: a list, each again as it was issued, and whether it still holds."""

import json
from uuid import UUID

from likeness.console.pages.collections.asked import id_in_path
from likeness.console.router import Pages
from likeness.console.visit import Download, Page, Problem, Visit
from likeness.errors import InputError, InvalidRequest, NotFound
from likeness.service.erase import certificates as acts
from likeness.terms import Action

certificates = Pages()

_MOST_LISTED = 50


@certificates.shows("/certificates", Action.AUDIT)
def show_certificates(visit: Visit) -> Page:
    """List erasures, the newest first: all, or those of a collection."""
    of, page = visit.query.get("collection", "").strip(), None
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
        visit.problem = Problem(str(error), "collection")
    values = {"page": page, "collection": of, "is_first": after is None}
    return Page("collections/certificates.html", values)


@certificates.shows("/certificates/{certificate_id}", Action.AUDIT)
def show_certificate(visit: Visit) -> Page:
    """Show a certificate."""
    found = acts.show_certificate(
        visit.home, visit.caller("ShowCertificate"), id_in_path(visit, "certificate_id")
    )
    return Page("collections/certificate.html", {"certificate": found, "verified": None})


@certificates.shows("/certificates/{certificate_id}/file", Action.AUDIT)
def give_certificate(visit: Visit) -> Download:
    """Give a certificate as a file, as `likeness collections verify` reads it."""
    found = acts.show_certificate(
        visit.home, visit.caller("ShowCertificate"), id_in_path(visit, "certificate_id")
    )
    content = f"{json.dumps(found.as_json(), indent=2)}\n".encode()
    return Download(content, "application/json", f"erasure-{found.id}.json")


@certificates.does("/certificates/{certificate_id}", Action.AUDIT, again=show_certificate)
def verify_certificate(visit: Visit) -> Page:
    """Look whether anything is left of what a certificate says is gone."""
    certificate_id = id_in_path(visit, "certificate_id")
    caller = visit.caller("VerifyCertificate")
    found = acts.show_certificate(visit.home, caller, certificate_id)
    verified = acts.verify_certificate(visit.home, caller, found)
    return Page("collections/certificate.html", {"certificate": found, "verified": verified})


def _after(visit: Visit) -> UUID | None:
    given = visit.query.get("after", "")
    try:
        return UUID(given) if given else None
    except ValueError as error:
        raise InvalidRequest(visit.t("collections.no_place")) from error
