"""Cases over HTTP: list, show, decide, authorise; faces as pictures, for reviewers alone."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from likeness.review import LONGEST_STATEMENT, Feature, Finding, Findings, Support, Verdict
from likeness.service.review import cases as acts
from likeness.v1.acts import ActRouter, Calls, RowsHere
from likeness.v1.answers import CaseAnswer, CasesAnswer, SeenCaseAnswer

cases = ActRouter(prefix="/v1/cases", tags=["review"])

_Statement = Annotated[str, Field(min_length=1, max_length=LONGEST_STATEMENT)]
_Unblurred = Annotated[
    bool,
    Query(description="Where the purpose is the exploitation of children, pictures are blurred."),
]
_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}


class FindingsRequest(BaseModel):
    """What was found in comparing two faces: feature by feature, and how far it goes."""

    model_config = ConfigDict(extra="forbid")

    support: Support
    features: dict[Feature, Finding] = {}


class VerdictRequest(BaseModel):
    """A verdict; `candidate` may be left out where the case has a single one."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict
    reason: _Statement
    candidate: int | None = None
    findings: FindingsRequest | None = None


class AuthorisationRequest(BaseModel):
    """An authority's consent."""

    model_config = ConfigDict(extra="forbid")

    authority: _Statement
    number: _Statement


@cases.get("")
def list_cases(rows: RowsHere, calls: Calls) -> CasesAnswer:
    """List the cases that have not ended, the oldest first."""
    return CasesAnswer(
        cases=[CaseAnswer.of(one) for one in acts.list_cases(rows, calls("ListCases"))]
    )


@cases.get("/{case_id}")
def show_case(case_id: UUID, rows: RowsHere, calls: Calls) -> SeenCaseAnswer:
    """Show a case as far as the caller may see it."""
    return SeenCaseAnswer.of_seen(acts.show_case(rows, calls("ShowCase"), case_id))


@cases.post("/{case_id}/verdicts")
def decide_case(
    case_id: UUID, given: VerdictRequest, rows: RowsHere, calls: Calls
) -> SeenCaseAnswer:
    """Give a verdict on a candidate, once."""
    found = given.findings
    return SeenCaseAnswer.of_seen(
        acts.decide_case(
            rows,
            calls("DecideCase"),
            case_id,
            given.candidate,
            given.verdict,
            given.reason,
            None if found is None else Findings(found.support, found.features),
        )
    )


@cases.post("/{case_id}/authorisation")
def authorise_case(
    case_id: UUID, given: AuthorisationRequest, rows: RowsHere, calls: Calls
) -> CaseAnswer:
    """Record an authority's consent, before the deadline."""
    return CaseAnswer.of(
        acts.authorise_case(rows, calls("AuthoriseCase"), case_id, given.authority, given.number)
    )


@cases.get("/{case_id}/probe", response_class=Response, responses=_JPEG)
def show_probe(
    case_id: UUID, rows: RowsHere, calls: Calls, unblurred: _Unblurred = False
) -> Response:
    """Show the face that was searched for."""
    return _picture(acts.show_face(rows, calls("ShowFace"), case_id, None, unblurred=unblurred))


@cases.get("/{case_id}/candidates/{number}/face", response_class=Response, responses=_JPEG)
def show_candidate(
    case_id: UUID, number: int, rows: RowsHere, calls: Calls, unblurred: _Unblurred = False
) -> Response:
    """Show a candidate's face."""
    return _picture(acts.show_face(rows, calls("ShowFace"), case_id, number, unblurred=unblurred))


def _picture(crop_jpeg: bytes) -> Response:
    return Response(crop_jpeg, media_type="image/jpeg")
