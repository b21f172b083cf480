"""What every test may ask for: a clean environment, real pictures, pinned files.

`LIKENESS_FORBID_SKIPS`, a list such as `models,services`, makes tests with those marks fail where
they would skip: a machine that promises to have what they need (.ci/run) must not pass without.
Evaluation data are apart, and so is the better recogniser where no folder of artifacts is named:
they are nobody's to fetch, so tests that need them may skip anywhere. So may tests that leave the
network, where the system does not let them.

`pytest` alone runs in as many processes as there are processors, up to four; a file or a folder
that is named runs in one, so that a debugger can be used and little waits for it.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
import pytest
from hypothesis import HealthCheck, settings

from likeness.artifacts import PinnedFile, Sources, fetch_all, holds
from likeness.artifacts.catalogue import RETAIL_0095_GRAPH, RETAIL_0095_WEIGHTS
from likeness.errors import ArtifactUnavailable
from tests.copied_schema import copy_schema
from tests.services.postgresql import (  # noqa: F401  # fixtures, for every suite
    database_url,
    empty_database_url,
    postgresql_schema,
    postgresql_server,
    postgresql_url,
)

_REPOSITORY = Path(__file__).parent.parent
# Taken out of the environment: it is no setting, and fixtures that outlive a test read settings.
_SKIPS_FORBIDDEN = set(os.environ.pop("LIKENESS_FORBID_SKIPS", "").replace(",", " ").split())
_CACHE_DIR = Path(os.environ.get("LIKENESS_CACHE") or platformdirs.user_cache_dir("likeness"))
_ARTIFACTS = os.environ.get("LIKENESS_ARTIFACTS")

# A Milvus server that a former test used ends idle connections, and gRPC's own threads write lines
# of that to standard error, into whatever test runs then. It reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

# For the processes that share the work: their libraries' own threads only wait for each other.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

# From their publisher alone, to whom few may go.
PUBLISHED_WEIGHTS = (RETAIL_0095_WEIGHTS, RETAIL_0095_GRAPH)


# Homes are made by the thousand, and each is synced. In memory that costs nothing, and nothing here
# has to outlive a power cut.
_IN_MEMORY = Path("/dev/shm")
if (
    _IN_MEMORY.is_dir()
    and os.access(_IN_MEMORY, os.W_OK)
    and shutil.disk_usage(_IN_MEMORY).free > 4 << 30
):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))

# All that is in them serves over sockets.
_SLOW_FOLDERS = ("doors", "end_to_end", "rekognition/operations")
_MOST_PROCESSES = 4

# How fast the machine is, nothing here asserts.
settings.register_profile("likeness", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("likeness")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Share the work where all tests run."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return 0
    return min(len(os.sched_getaffinity(0)), _MOST_PROCESSES)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whole folders as slow."""
    folders = [_REPOSITORY / "tests" / name for name in _SLOW_FOLDERS]
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in folders):
            item.add_marker(pytest.mark.slow)


class _AllowedSkip(pytest.skip.Exception):
    """A skip that nothing forbids."""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's reaches a test, and no test reaches a publisher."""
    for name in [name for name in os.environ if name.startswith("LIKENESS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIKENESS_PUBLISHER", "never")


@pytest.fixture(autouse=True)
def copied_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrations run once for all tests, but for those of `storage`.

    Most tests make a database, and Alembic takes most of the time of that. A test of its own says
    that a copy is equal to what migrations make (test_copied_schema.py).
    """
    copy_schema(monkeypatch)


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Where a set of evaluation data lies; skips where this machine has none."""

    def folder(name: str) -> Path:
        path = _REPOSITORY.parent / "shared" / "data" / name
        if not path.exists():
            raise _AllowedSkip(
                f"needs the evaluation data ../shared/data/{name}, which is not here"
            )
        return path

    return folder


@pytest.fixture(scope="session")
def cache_dir() -> Path:
    """The user's own cache of weights and samples, for tests marked `models`."""
    return _CACHE_DIR


@pytest.fixture(scope="session")
def sources(cache_dir: Path) -> Sources:
    """Where tests marked `models` have pinned files from: never from a publisher."""
    return Sources(cache_dir, Path(_ARTIFACTS).resolve() if _ARTIFACTS else None)


@pytest.fixture
def better_recogniser(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files of the better recogniser, which settings find too; for tests marked `models`.

    Nobody fetches them for a test, so it skips where neither folder nor cache has them. Where
    LIKENESS_ARTIFACTS names a folder, that promises to have them.
    """
    if not all(holds(sources, file) for file in PUBLISHED_WEIGHTS):
        reason = "needs the better recogniser, which is neither in the cache nor in"
        if sources.folder is None:
            raise _AllowedSkip(f"{reason} a folder of artifacts (`likeness models pull`)")
        pytest.skip(f"{reason} {sources.folder}")
    if sources.folder is not None:
        monkeypatch.setenv("LIKENESS_ARTIFACTS", str(sources.folder))
    monkeypatch.setenv("LIKENESS_CACHE", str(sources.cache))
    return fetch_all(PUBLISHED_WEIGHTS, sources)


@pytest.fixture(scope="session")
def without_network() -> tuple[str, ...]:
    """What goes before a command so that it has no network at all, not even loopback."""
    apart = ("unshare", "--map-root-user", "--net")
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"], check=False).returncode:
        raise _AllowedSkip("needs unshare --net, which this machine does not let a test do")
    return apart


@pytest.fixture(scope="session")
def artifact(sources: Sources) -> Callable[[PinnedFile], Path]:
    """A pinned file, fetched once if need be, for tests marked `models`."""

    def path(pinned: PinnedFile) -> Path:
        try:
            return fetch_all([pinned], sources)[0]
        except ArtifactUnavailable as error:
            pytest.skip(str(error))

    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Turn a skip that `LIKENESS_FORBID_SKIPS` forbids into a failure."""
    report = yield
    if call.excinfo is not None and call.excinfo.errisinstance(_AllowedSkip):
        return report
    forbidden = _SKIPS_FORBIDDEN & {mark.name for mark in item.iter_markers()}
    if report.skipped and forbidden and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{', '.join(sorted(forbidden))} tests may not skip here: {reason}"
    return report
