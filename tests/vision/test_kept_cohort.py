"""A collection keeps one of two kinds of cohort; what is neither is said to be none."""

import io
import zipfile

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.errors import ModelTampered
from likeness.vision.cohort import Cohort
from likeness.vision.cohort_parts import FEWEST_PEOPLE_IN_PARTS, CohortInParts
from likeness.vision.kept_cohort import models_of, read_cohort


def people(count: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(1).normal(size=(count, 16))
    return np.float32(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


COHORTS = [
    Cohort.of(people(200), "net@1", "strangers"),
    CohortInParts.of(people(FEWEST_PEOPLE_IN_PARTS), "net@1", "its people", 1),
]


@pytest.mark.parametrize("cohort", COHORTS, ids=["whole", "parts"])
def test_each_kind_is_read_as_what_it_is(cohort: Cohort | CohortInParts) -> None:
    read = read_cohort(cohort.as_bytes())
    assert type(read) is type(cohort)
    assert read.version == cohort.version
    assert models_of(read) == {"net@1"}


@pytest.mark.parametrize("content", [b"", b"a cohort", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_cohort_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(ModelTampered, match="a cohort"):
        read_cohort(content)


@pytest.mark.parametrize("name", ["vectors.npy", "arr_0.npy"])
def test_what_would_fill_all_memory_is_not_unpacked(name: str) -> None:
    content = io.BytesIO()
    with (
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w") as file,
    ):
        for _ in range(1025):
            file.write(bytes(1 << 20))
    with pytest.raises(ModelTampered, match="larger than 1024 MiB"):
        read_cohort(content.getvalue())
