"""The shapes of erasures, their certificates and what verifying these came to, in answers."""

from typing import Any, Self
from uuid import UUID

from pydantic import AwareDatetime

from likeness.gallery import ErasureCertificate, Verification
from likeness.service.erase.certificates import ErasuresPage, ListedErasure
from likeness.v1.answers import Answer


class ErasureAnswer(Answer):
    """An erasure; `digest` is its certificate's, both null until it is finished.

    Of one that is `damaged`, since its row was changed from outside, what was erased is not known.
    """

    id: UUID
    collection_id: UUID
    collection: str | None
    whole_collection: bool
    subjects: int
    references: int
    begun_at: AwareDatetime
    completed_at: AwareDatetime | None
    digest: str | None
    damaged: bool

    @classmethod
    def of(cls, one: ListedErasure) -> Self:
        """Show one."""
        issued = one.erasure.certificate
        return cls.shown(
            one.erasure,
            collection=one.collection,
            completed_at=issued and issued.completed_at,
            digest=issued and issued.digest,
        )


class ErasuresAnswer(Answer):
    """Some erasures; `after` begins the next page, null at the end."""

    certificates: list[ErasureAnswer]
    after: UUID | None

    @classmethod
    def of(cls, page: ErasuresPage) -> Self:
        """Show a page."""
        return cls(certificates=[ErasureAnswer.of(one) for one in page.listed], after=page.after)


class CertificateAnswer(Answer):
    """A certificate as it was issued, and its digest."""

    certificate: dict[str, Any]
    digest: str

    @classmethod
    def of(cls, issued: ErasureCertificate) -> Self:
        """Show one."""
        return cls(certificate=issued.as_json(), digest=issued.digest)


class ReturnAnswer(Answer):
    """Who is in a collection although they were erased."""

    collection: str
    subjects: int
    references: int
    pictures: int


class VerificationAnswer(Answer):
    """What is left of what a certificate says is gone, and where it came again."""

    holds: bool
    issued: bool
    rows: int
    vectors: int
    returns: list[ReturnAnswer]
    unreadable: int

    @classmethod
    def of(cls, found: Verification) -> Self:
        """Show one."""
        returns = [ReturnAnswer.shown(one) for one in found.returns]
        return cls.shown(found, returns=returns)
