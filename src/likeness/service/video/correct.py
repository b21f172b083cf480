"""Corrects who is seen in the clip of a job, on record."""

from functools import partial

from likeness import jobs
from likeness.errors import Conflict, InvalidRequest, NotFound, required
from likeness.service.uses import Caller, Home, Outcome
from likeness.service.video.corrections import result_of
from likeness.service.video.results import people_seen
from likeness.service.video.seen import ClipPerson, ClipSeen, Correction, Said
from likeness.terms import UNDECLARED, Action


def correct_sighting(
    home: Home, caller: Caller, job_id: str, number: int, correction: Correction | None
) -> None:
    """Say who a person of a clip is; with None, that they are whoever was found again.

    Raises:
        NotFound: the caller has no such job, or its clip no such person.
        InvalidRequest: the person is not like whoever they are said to be.
        Conflict: the job has not succeeded, or people decide about the person in a case.
        Denied: the results may not be given.
    """
    seen = people_seen(home, caller, None, job_id).seen
    if seen is None:
        raise Conflict("The job has not succeeded, so it has found nothing to correct.")
    _require_possible(seen, number, correction)
    said = correction or Correction(Said.NOBODY)
    replace = partial(
        jobs.replace_result,
        keyring=home.keyring,
        job_id=job_id,
        result=result_of(number, said),
        keep=correction is not None,
    )
    with home.record_use(caller, caller.use(Action.READ, UNDECLARED)) as record:
        details = {
            "job_id": job_id,
            "person": str(number + 1),
            "verdict": "as found" if correction is None else correction.said.value,
        }
        record.write(replace, lambda _: Outcome(details=details))


def _require_possible(seen: ClipSeen, number: int, correction: Correction | None) -> None:
    person = _person(seen, number)
    if correction is None or correction.said is Said.NOBODY:
        return
    if correction.said is Said.SAME:
        other = _person(seen, required(correction.other, "the other person"))
        if other.number == person.number:
            raise InvalidRequest("Somebody is the same as themselves. Choose somebody else.")
        return
    if not any(one.reference_id == correction.reference_id for one in person.candidates):
        raise InvalidRequest("The person is like nobody of that id. Choose somebody of the list.")


def _person(seen: ClipSeen, number: int) -> ClipPerson:
    found = (one for one in seen.people if number in (one.number, *one.joined))
    person = next(found, None)
    if person is None:
        raise NotFound("No such person is seen in the clip. Reload the page.")
    if person.withheld:
        raise Conflict("People decide in a case who this is. Give a verdict there.")
    return person
