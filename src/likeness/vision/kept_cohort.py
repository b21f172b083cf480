"""Which cohort do bytes hold? One of the model's strangers, or one in parts of a collection's own.

A collection keeps either: its own, or the model's that it came with from another installation.
"""

import io
import zipfile

from likeness.errors import ModelTampered
from likeness.vision.cohort import MOST_UNPACKED_BYTES, Cohort
from likeness.vision.cohort_parts import CohortInParts

_FIRST_PART = "arr_0.npy"


def read_cohort(content: bytes) -> Cohort | CohortInParts:
    """Read what `Cohort.as_bytes` or `CohortInParts.as_bytes` gave.

    Raises:
        ModelTampered: the bytes are no cohort, or not as they were written.
    """
    if _FIRST_PART not in _names(content):
        return Cohort.from_bytes(content)
    return CohortInParts.from_bytes(content)


def models_of(cohort: Cohort | CohortInParts) -> set[str]:
    """Name the models of a cohort's templates; a whole one has one."""
    return {one.model for one in (cohort.parts if isinstance(cohort, CohortInParts) else [cohort])}


def _names(content: bytes) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            packed = archive.infolist()
        if sum(part.file_size for part in packed) > MOST_UNPACKED_BYTES:
            raise ValueError(f"it is larger than {MOST_UNPACKED_BYTES >> 20} MiB")
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ModelTampered(
            f"a cohort was expected and cannot be read ({error}): fetch it again"
        ) from error
    return [part.filename for part in packed]
