"""What people decided: cases, verdicts, authorisations, and standing searches that open cases.

All are functions over a connection; what is personal opens only with the key of its case.
"""

from likeness.review import cases, crops, keys, outbox, verdicts, watches
from likeness.review.case import (
    LONGEST_STATEMENT,
    Candidate,
    Case,
    Found,
    Outcome,
    Owed,
    Search,
    Standing,
    Verdict,
)
from likeness.review.probes import SampleFace
from likeness.review.verdicts import Authorisation, Judgement
from likeness.review.watches import Grounds, NewWatch, Probe, Watch
from likeness.review.watching import Arrival, open_watch_cases

__all__ = [
    "LONGEST_STATEMENT",
    "Arrival",
    "Authorisation",
    "Candidate",
    "Case",
    "Found",
    "Grounds",
    "Judgement",
    "NewWatch",
    "Outcome",
    "Owed",
    "Probe",
    "SampleFace",
    "Search",
    "Standing",
    "Verdict",
    "Watch",
    "cases",
    "crops",
    "keys",
    "open_watch_cases",
    "outbox",
    "verdicts",
    "watches",
]
