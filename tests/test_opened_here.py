"""Forked processes are told at once that they cannot use what was opened before."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from likeness.storage import open_database
from likeness.vision.networks.openvino_engine import OpenVinoSession
from likeness.vision.networks.session import Precision


def in_a_fork(act: Callable[[], object]) -> str:
    """Say what comes of an act in a forked process, which has ten seconds."""
    hears, says = os.pipe()
    process = os.fork()
    if process == 0:
        signal.alarm(10)
        try:
            act()
            said = "done"
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(says, said.encode())
        os._exit(0)
    os.close(says)
    with os.fdopen(hears, "rb") as heard:
        said = heard.read().decode()
    os.waitpid(process, 0)
    return said


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_database_is_used_by_the_process_that_opened_it_alone(tmp_path: Path) -> None:
    with open_database(f"sqlite:///{tmp_path}/likeness.db") as database:
        for act in (database.read, database.write):
            assert in_a_fork(lambda act=act: act(lambda connection: 1)).startswith("Conflict: ")
        assert in_a_fork(database.close) == "done"
        assert database.read(lambda connection: 1) == 1


def test_a_network_is_run_by_the_process_that_loaded_it_alone() -> None:
    tensor = SimpleNamespace(data=np.zeros((1, 2), np.float32))
    request = SimpleNamespace(infer=lambda *_, **__: None, get_output_tensor=lambda _: tensor)
    compiled = SimpleNamespace(outputs=[0], create_infer_request=lambda: request)
    session = OpenVinoSession(lambda shape: compiled, Precision.F32, 1)
    pictures = np.zeros((1, 4, 4, 3), np.uint8)

    assert "spawn" in in_a_fork(lambda: session.run(pictures))
    assert session.run(pictures)[0].shape == (1, 2)
