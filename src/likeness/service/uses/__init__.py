"""What all acts go through: a home, a caller, and the record of a use.

An act is a function of a `Home` (or of its `Rows` alone), a `Caller` and what is asked for:

    def search_sample(home: Home, caller: Caller, name: str, read: ReadSample, ...) -> ...:
        of = home.collection(caller, Action.SEARCH, name)         # NoSuchCollection, on record
        with home.record(caller, Action.SEARCH, of) as record:    # Denied, on record
            ...                                                   # decode, embed, search
            released = record.release(matches, probe, among)
            record.answered(Outcome(faces=1, candidates=len(released)))
        return ...

A door parses what came, makes a `Caller`, calls one act, words its answer, and tells the caller
the receipt and the case that the act leaves in `caller.proof`, also where it raised. `app.home`
opens the `Home`; an act takes from it whatever it needs, so that no door hands over parts.
"""

from likeness.service.uses.admission import DESKS_OWN, refusal
from likeness.service.uses.caller import (
    Caller,
    Proof,
    Stated,
    is_local,
    present_holder,
    receipt_for,
    stated_purpose,
)
from likeness.service.uses.collection_facts import (
    declared_by,
    declares,
    facts_of,
    known_values,
    needed_to_tag,
    require_known_tags,
    use_in,
)
from likeness.service.uses.home import Home, NoSuchCollection, NoSuchSubject, Rows, TemplatesOf
from likeness.service.uses.once import Once
from likeness.service.uses.ongoing import Consent, Ongoing
from likeness.service.uses.record import Desk, Outcome, Record
from likeness.service.uses.stills import opens_blurred, still_of
from likeness.service.uses.withhold import (
    OF_PEOPLE,
    OF_REVIEWERS,
    Probe,
    Withholding,
    owed_by,
    stated_in,
)

__all__ = [
    "DESKS_OWN",
    "OF_PEOPLE",
    "OF_REVIEWERS",
    "Caller",
    "Consent",
    "Desk",
    "Home",
    "NoSuchCollection",
    "NoSuchSubject",
    "Once",
    "Ongoing",
    "Outcome",
    "Probe",
    "Proof",
    "Record",
    "Rows",
    "Stated",
    "TemplatesOf",
    "Withholding",
    "declared_by",
    "declares",
    "facts_of",
    "is_local",
    "known_values",
    "needed_to_tag",
    "opens_blurred",
    "owed_by",
    "present_holder",
    "receipt_for",
    "refusal",
    "require_known_tags",
    "stated_in",
    "stated_purpose",
    "still_of",
    "use_in",
]
