"""Reports over HTTP to people who ask who searched for them; names are in bodies alone."""

from pydantic import Base64Bytes, BaseModel, ConfigDict

from likeness.service.govern import subject_report as acts
from likeness.v1.acts import ActRouter, Calls, HomeHere, Offered, RowsHere
from likeness.v1.subject_answers import SubjectReportsAnswer
from likeness.vision.decode import inspect

subject_reports = ActRouter(prefix="/v1/subject-reports", tags=["subjects"])


class ReportRequest(BaseModel):
    """Whom to report on, by name or external id; in every collection where none is named."""

    model_config = ConfigDict(extra="forbid")

    subject: str
    collection: str | None = None


class PictureReportRequest(BaseModel):
    """Whom to report on: `image` is a picture of them, in base64."""

    model_config = ConfigDict(extra="forbid")

    image: Base64Bytes
    collection: str | None = None


@subject_reports.post("")
def report_on_subject(asked: ReportRequest, rows: RowsHere, calls: Calls) -> SubjectReportsAnswer:
    """Say what is held of somebody, who searched for them and what for."""
    caller = calls("ReportOnSubject")
    found = acts.report_on_subject(rows, caller, asked.collection, asked.subject)
    return SubjectReportsAnswer.of(found)


@subject_reports.post("/picture")
async def report_on_picture(
    asked: PictureReportRequest, offered: Offered, home: HomeHere, calls: Calls
) -> SubjectReportsAnswer:
    """Say it of whoever a picture is like."""
    caller, limits = calls("ReportOnPicture"), home.limits
    found = await offered.pictures.run(
        lambda: acts.report_on_picture(
            home, caller, asked.collection, lambda: inspect(asked.image, limits)
        ),
        caller.principal.id,
    )
    return SubjectReportsAnswer.of(found)
