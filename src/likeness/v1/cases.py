"""Cases over HTTP: list, show, decide, authorise; faces as pictures, for reviewers alone."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from likeness.review import LONGEST_STATEMENT, Verdict
from likeness.v1.acts import Review
from likeness.v1.answers import CaseAnswer, CasesAnswer, SeenCaseAnswer

cases = APIRouter(prefix="/v1/cases", tags=["review"])

_Statement = Annotated[str, Field(min_length=1, max_length=LONGEST_STATEMENT)]
_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}


class VerdictRequest(BaseModel):
    """A verdict; `candidate` may be left out where the case has a single one."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict
    reason: _Statement
    candidate: int | None = None


class AuthorisationRequest(BaseModel):
    """An authority's consent."""

    model_config = ConfigDict(extra="forbid")

    authority: _Statement
    number: _Statement


@cases.get("")
def list_cases(office: Review) -> CasesAnswer:
    """List the cases that have not ended, the oldest first."""
    return CasesAnswer(cases=[CaseAnswer.of(one) for one in office.every()])


@cases.get("/{case_id}")
def show_case(case_id: UUID, office: Review) -> SeenCaseAnswer:
    """Show a case as far as the caller may see it."""
    return SeenCaseAnswer.of_seen(office.show(case_id))


@cases.post("/{case_id}/verdicts")
def decide_case(case_id: UUID, given: VerdictRequest, office: Review) -> SeenCaseAnswer:
    """Give a verdict on a candidate, once."""
    return SeenCaseAnswer.of_seen(
        office.decide(case_id, given.candidate, given.verdict, given.reason)
    )


@cases.post("/{case_id}/authorisation")
def authorise_case(case_id: UUID, given: AuthorisationRequest, office: Review) -> CaseAnswer:
    """Record an authority's consent, before the deadline."""
    return CaseAnswer.of(office.authorise(case_id, given.authority, given.number))


@cases.get("/{case_id}/probe", response_class=Response, responses=_JPEG)
def show_probe(case_id: UUID, office: Review) -> Response:
    """Show the face that was searched for."""
    return _picture(office.probe_crop(case_id))


@cases.get("/{case_id}/candidates/{number}/face", response_class=Response, responses=_JPEG)
def show_candidate(case_id: UUID, number: int, office: Review) -> Response:
    """Show a candidate's face."""
    return _picture(office.candidate_crop(case_id, number))


def _picture(crop_jpeg: bytes) -> Response:
    return Response(crop_jpeg, media_type="image/jpeg")
