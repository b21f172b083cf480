"""Where the figures come from: processor and versions, printed beside every one of them."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.figure import NotMeasured
from bench.peer import peer_versions
from likeness.vision.networks.openvino_engine import OpenVinoEngine

_TELLING = ("amx_bf16", "amx_int8", "avx512_bf16", "avx512f", "avx2")
_PACKAGES = ("likeness", "openvino", "numpy", "opencv-python-headless")


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor, those of its instructions that decide speed, and versions of everything."""

    processor: str
    instructions: tuple[str, ...]
    cores: int
    versions: str

    @property
    def has_amx(self) -> bool:
        """Whether it multiplies matrices in bf16 tiles, which the throughput targets assume."""
        return "amx_bf16" in self.instructions

    @property
    def has_bf16(self) -> bool:
        """Whether it computes in bf16 at all, by AMX or by AVX-512."""
        return self.has_amx or "avx512_bf16" in self.instructions

    @property
    def description(self) -> str:
        """All of the processor in one line."""
        amx = "" if self.has_amx else ", no AMX"
        return f"{self.processor}, {self.cores} cores ({' '.join(self.instructions)}{amx})"


def this_machine() -> Machine:
    """Describe the machine that this runs on."""
    flags = _flags(Path("/proc/cpuinfo"))
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{package} {version(package)}" for package in _PACKAGES]
    return Machine(
        OpenVinoEngine().processor,
        tuple(flag for flag in _TELLING if flag in flags),
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        ", ".join([*versions, _peers()]),
    )


def _peers() -> str:
    """The versions of what is measured against, where it is installed."""
    try:
        return peer_versions()
    except NotMeasured as error:
        return str(error)


def _flags(cpuinfo: Path) -> set[str]:
    """The instructions that Linux lists; none elsewhere."""
    if not cpuinfo.exists():
        return set()
    lines = cpuinfo.read_text().splitlines()
    return set(next((line for line in lines if line.startswith("flags")), "").split())
