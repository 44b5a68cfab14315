"""A large run killed in every stage: `python -m benchmarks.kills --faces 1000000`.

The faces and the whole run are those of `benchmarks.scale`, the default method. Another run of the same command
is killed by SIGKILL at a random moment of each stage and begun again, until it is through. What was done must
not be done again, and the labels must be those of the whole run. Figures of other sizes are kept.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import RESULTS, THREADS, record
from benchmarks.scale import MEMORY, RECALL, RECIPES, STAGES, link_stages, prepare
from personae import FaceSet
from personae.scale.pipeline import stages_of
from personae.scale.stages import PART, Run, run_stages

METHOD = "auto"
LATEST = 0.9  # of the time that a stage takes
LOOK = 0.05  # seconds between two looks at the folder


def work_on(faces: int, work: Path) -> None:
    """The run, in this process."""
    file = prepare(faces) / "features.npy"
    here = FaceSet(np.load(file, mmap_mode="r"))
    run_stages(stages_of(here, RECIPES[METHOD](here), RECALL, file), work, Run(MEMORY, lambda *_: None))


def begun(faces: int, work: Path) -> "subprocess.Popen[bytes]":
    threads = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), THREADS)
    words = ["-m", "benchmarks.kills", "--faces", str(faces), "--work", str(work)]
    return subprocess.Popen([sys.executable, *words], env={**os.environ, **threads})


def killed_in(stage: str, faces: int, work: Path, takes: float, chance: random.Random) -> float:
    """How long the stage ran until it was killed, in seconds; a stage that was faster is begun anew."""
    latest = LATEST * takes
    while True:
        child = begun(faces, work)
        while not (work / (stage + PART)).exists() and child.poll() is None:
            time.sleep(LOOK)
        wait = chance.uniform(0, latest)
        time.sleep(wait)
        child.kill()
        ended = child.wait()
        if not (work / f"{stage}.json").exists():
            if ended != -signal.SIGKILL:
                raise SystemExit(f"the run ended by itself with {ended}")
            return wait
        (work / f"{stage}.json").unlink()
        latest /= 2


def finished(work: Path) -> dict[str, int]:
    """When each stage was done."""
    files = {stage: work / f"{stage}.json" for stage in STAGES}
    return {stage: file.stat().st_mtime_ns for stage, file in files.items() if file.exists()}


def measured(faces: int, stages: list[str], seed: int) -> list[dict[str, Any]]:
    """Some stages killed once each; what comes before them is that of the whole run."""
    folder, chance = prepare(faces), random.Random(seed)
    whole, work = folder / METHOD, folder / "kills"
    if begun(faces, whole).wait():
        raise SystemExit("the whole run failed")
    shutil.rmtree(work, ignore_errors=True)
    link_stages(STAGES[: STAGES.index(stages[0])], whole, work)
    rows: list[dict[str, Any]] = []
    known = finished(work)
    for stage in stages:
        takes = json.loads((whole / f"{stage}.json").read_text())["seconds"]
        wait = killed_in(stage, faces, work, takes, chance)
        known = finished(work) | known
        told = {"takes": takes, "killed_after": round(wait, 1), "seed": seed}
        rows.append({"faces": faces, "stage": stage, **told})
        print(rows[-1], flush=True)
    if begun(faces, work).wait():
        raise SystemExit("the last run failed")
    again = {stage for stage, at in finished(work).items() if known.get(stage, at) != at}
    one, other = (np.load(at / "labels" / "labels.npy") for at in (whole, work))
    for row in rows:
        row |= {"done_again": row["stage"] in again, "same_labels": bool((one == other).all())}
    shutil.rmtree(work)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, nargs="*", default=[100_000])
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES, help="in their order")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="run it in this folder, write nothing else")
    chosen = parser.parse_args()
    if chosen.work:
        work_on(chosen.faces[0], chosen.work)
        return
    file = RESULTS / "kills.json"
    rows = json.loads(file.read_text())["rows"] if file.exists() else []
    for faces in chosen.faces:
        rows = [row for row in rows if row["faces"] != faces] + measured(faces, chosen.stages, chosen.seed)
        rows.sort(key=lambda row: row["faces"])  # stable
        record("kills", {"method": METHOD, "rows": rows})


if __name__ == "__main__":
    main()
