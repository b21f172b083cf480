"""Find, compare and name faces, with scores that carry their error rates.

    import likeness

    faces = likeness.open_likeness()
    answer = faces.compare("passport.jpg", "visitor.jpg")
    print(answer.answer, answer.similarity, answer.fmr_any)

Every public name is listed here and imported when it is first used, so that `import likeness`
costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from likeness.app import Workload
    from likeness.config import Settings, read_settings
    from likeness.errors import (
        Fault,
        InputError,
        LikenessError,
        NoFace,
        Refused,
        StateError,
    )
    from likeness.library import Likeness, Subjects, open_likeness, open_subjects
    from likeness.service.enrol.subject_changes import ChangedSubject
    from likeness.service.redact.clips import RedactedClip
    from likeness.service.redact.pictures import RedactedPicture
    from likeness.service.search.folder_gallery import FolderGallery
    from likeness.service.search.identify import Candidate, Identification
    from likeness.service.search.verify import Verification
    from likeness.service.video.seen import ClipMatch, ClipPerson, ClipSeen
    from likeness.terms import (
        Box,
        Comparison,
        Face,
        Landmarks,
        Point,
        Pose,
        Quality,
        QualityReason,
        Template,
    )
    from likeness.video import Style

__version__ = "0.1.0"

_HOMES = {
    "likeness.app": ("Workload",),
    "likeness.config": ("Settings", "read_settings"),
    "likeness.errors": ("Fault", "InputError", "LikenessError", "NoFace", "Refused", "StateError"),
    "likeness.library": ("Likeness", "Subjects", "open_likeness", "open_subjects"),
    "likeness.service.enrol.subject_changes": ("ChangedSubject",),
    "likeness.service.redact.clips": ("RedactedClip",),
    "likeness.service.redact.pictures": ("RedactedPicture",),
    "likeness.service.search.folder_gallery": ("FolderGallery",),
    "likeness.service.search.identify": ("Candidate", "Identification"),
    "likeness.service.search.verify": ("Verification",),
    "likeness.service.video.seen": ("ClipMatch", "ClipPerson", "ClipSeen"),
    "likeness.terms": (
        "Box",
        "Comparison",
        "Face",
        "Landmarks",
        "Point",
        "Pose",
        "Quality",
        "QualityReason",
        "Template",
    ),
    "likeness.video": ("Style",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Box",
    "Candidate",
    "ChangedSubject",
    "ClipMatch",
    "ClipPerson",
    "ClipSeen",
    "Comparison",
    "Face",
    "Fault",
    "FolderGallery",
    "Identification",
    "InputError",
    "Landmarks",
    "Likeness",
    "LikenessError",
    "NoFace",
    "Point",
    "Pose",
    "Quality",
    "QualityReason",
    "RedactedClip",
    "RedactedPicture",
    "Refused",
    "Settings",
    "StateError",
    "Style",
    "Subjects",
    "Template",
    "Verification",
    "Workload",
    "__version__",
    "open_likeness",
    "open_subjects",
    "read_settings",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'likeness' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
