"""Who is known: collections, who is in them, whom they are like, and how people leave them.

`Gallery.collection(name)` gives an `OpenCollection`, which searches; where another process has the
gallery open, `Collections.collection(name)` gives a `Collection`, which reads and changes rows.
"""

from likeness.gallery.certificate import ErasureCertificate, Remainder, Return, Verification
from likeness.gallery.collection import Collection, OpenCollection
from likeness.gallery.collection_rows import MOST_TAGS, CollectionRows
from likeness.gallery.compared import Scores
from likeness.gallery.erasing import KeptElsewhere
from likeness.gallery.erasure_rows import (
    Erasure,
    KeptErasure,
    damaged_erasure,
    kept_erasure,
    kept_erasures,
    note_for_certificate,
)
from likeness.gallery.gallery import Collections, Gallery
from likeness.gallery.indexes import MakeIndex
from likeness.gallery.marks import (
    Marked,
    count_by_key,
    erased_unmarked,
    mark_back,
    mark_ids,
    mark_pictures,
    marked_among,
    rewrap_key,
)
from likeness.gallery.own_strangers import Measured
from likeness.gallery.references import (
    ArrivingReference,
    KnownReference,
    NewReference,
    Reference,
    SubjectVectors,
)
from likeness.gallery.seal import Details
from likeness.gallery.search import By, Candidate
from likeness.gallery.staging import Change, FoundAgain
from likeness.gallery.stored_collections import Size, counts_by_key, models_in_use, rewrap_keys
from likeness.gallery.subject_changes import ChangeKind, KeptChange, SubjectChange
from likeness.gallery.subjects import ArrivingSubject, Subject
from likeness.gallery.unnamed import UnnamedReference

__all__ = [
    "MOST_TAGS",
    "ArrivingReference",
    "ArrivingSubject",
    "By",
    "Candidate",
    "Change",
    "ChangeKind",
    "Collection",
    "CollectionRows",
    "Collections",
    "Details",
    "Erasure",
    "ErasureCertificate",
    "FoundAgain",
    "Gallery",
    "KeptChange",
    "KeptElsewhere",
    "KeptErasure",
    "KnownReference",
    "MakeIndex",
    "Marked",
    "Measured",
    "NewReference",
    "OpenCollection",
    "Reference",
    "Remainder",
    "Return",
    "Scores",
    "Size",
    "Subject",
    "SubjectChange",
    "SubjectVectors",
    "UnnamedReference",
    "Verification",
    "count_by_key",
    "counts_by_key",
    "damaged_erasure",
    "erased_unmarked",
    "kept_erasure",
    "kept_erasures",
    "mark_back",
    "mark_ids",
    "mark_pictures",
    "marked_among",
    "models_in_use",
    "note_for_certificate",
    "rewrap_key",
    "rewrap_keys",
]
