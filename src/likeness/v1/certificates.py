"""Certificates of erasures over HTTP: list, give again, verify."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from likeness.service.erase import certificates as acts
from likeness.v1.acts import ActRouter, Calls, HomeHere, RowsHere
from likeness.v1.erasure_answers import CertificateAnswer, ErasuresAnswer, VerificationAnswer

certificates = ActRouter(prefix="/v1/certificates", tags=["erasure"])


@certificates.get("")
def list_certificates(
    rows: RowsHere,
    calls: Calls,
    collection: str | None = None,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ErasuresAnswer:
    """List erasures with their certificates, the newest first."""
    page = acts.list_certificates(
        rows, calls("ListCertificates"), collection=collection, after=after, limit=limit
    )
    return ErasuresAnswer.of(page)


@certificates.get("/{certificate_id}")
def show_certificate(certificate_id: UUID, rows: RowsHere, calls: Calls) -> CertificateAnswer:
    """Give a certificate as it was issued."""
    return CertificateAnswer.of(
        acts.show_certificate(rows, calls("ShowCertificate"), certificate_id)
    )


@certificates.get("/{certificate_id}/verification")
def verify_certificate(certificate_id: UUID, home: HomeHere, calls: Calls) -> VerificationAnswer:
    """Look whether anything is left of what a certificate says is gone, in every collection."""
    found = acts.verify_kept_certificate(home, calls("VerifyCertificate"), certificate_id)
    return VerificationAnswer.of(found)
