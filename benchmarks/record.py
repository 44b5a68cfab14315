"""Where figures go: one JSON a benchmark, with what the figures depend on."""

import json
import os
import platform
import resource
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
SHARED = Path(__file__).resolve().parents[2] / "shared"  # real embeddings and photographs, where there are any
THREADS = "2"  # of a case that runs apart
PACKAGES = ("numpy", "scipy", "numba", "scikit-learn", "onnxruntime", "pillow")


def record(name: str, figures: dict[str, Any]) -> None:
    """Writes results/NAME.json: the figures, the command that makes them, versions and cores."""
    RESULTS.mkdir(exist_ok=True)
    whole = {"command": f"python -m benchmarks.{name}", "machine": machine(), **figures}
    (RESULTS / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n")


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "architecture": platform.machine(),
    }


def peak_mib() -> int:
    """The most memory this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1 << 20 if sys.platform == "darwin" else 1 << 10)


def run_apart(benchmark: str, *words: str) -> dict[str, Any]:
    """The JSON that `python -m benchmarks.BENCHMARK WORDS` prints, from a process of its own."""
    threads = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), THREADS)
    ended = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{benchmark}", *words],
        env={**os.environ, **threads},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
