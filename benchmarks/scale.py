"""Features to labels in stages on disk, larger and larger: `python -m benchmarks.scale --faces 100000 300000`.

Made identities with the geometry of SFace in 256 dimensions and a long tail, k = 80. Each stage has a process
of its own with two threads, so that its peak memory is seen; the features are a map of a file. Each method has
a folder of its own, with the same graph. Figures of other sizes that are there are kept.
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import RESULTS, THREADS, peak_mib, record, run_apart
from personae import Auto, FaceSet, StarFC, SyntheticIdentities
from personae.data import write_synthetic_faces
from personae.data.synthetic_embedder import like_sface
from personae.evaluation import bcubed, pairwise
from personae.graph import near_recall
from personae.link.geometry import Geometry
from personae.scale.pipeline import memory_of, stages_of
from personae.scale.recipe import Recipe
from personae.scale.recipes import auto_recipe, star_fc_recipe
from personae.scale.search_stages import read_knn
from personae.scale.stages import Run, run_stages

D, RECALL = 256, 0.99
MEMORY = 22 << 30
STAGES = ("cells", "knn", "links", "labels")
OF_GRAPH = STAGES[:2]
FOLDER = Path(tempfile.gettempdir()) / "personae-scale"


def star_fc(faces: FaceSet) -> Recipe:
    """The model that comes along; its network sees cosines and ranks alone, so d may be another."""
    trained = StarFC.pretrained("sface")
    trained.geometry_ = Geometry.of(faces)
    return star_fc_recipe(trained)


RECIPES: dict[str, Callable[[FaceSet], Recipe]] = {"auto": lambda _: auto_recipe(Auto()), "star_fc": star_fc}


def prepare(faces: int) -> Path:
    """The features and who they are, on disk."""
    folder = FOLDER / str(faces)
    if not (folder / "truth.npy").exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = SyntheticIdentities(faces=faces, embedder=like_sface(D))
        written = write_synthetic_faces(made, folder / "features.npy", dtype="float32")
        np.save(folder / "truth.npy", written.truth)
    return folder


def link_stages(stages: Sequence[str], done: Path, other: Path) -> None:
    """Stages that are done for another folder to work in, without another copy on the disk."""
    for stage in stages:
        shutil.rmtree(other / stage, ignore_errors=True)
        shutil.copytree(done / stage, other / stage, copy_function=os.link)
        shutil.copy(done / f"{stage}.json", other)


def measured(faces: int, method: str, stage: str) -> dict[str, Any]:
    """One stage, in this process; those before it are done."""
    folder = prepare(faces)
    here = FaceSet(np.load(folder / "features.npy", mmap_mode="r"))
    stages = stages_of(here, RECIPES[method](here), RECALL, folder / "features.npy")
    run = Run(MEMORY, lambda *_: None)
    ran = run_stages(stages[: STAGES.index(stage) + 1], folder / method, run)[stage]
    if not ran.fresh:
        return {"fresh": False}
    peak = peak_mib()
    row = {
        "faces": faces,
        "method": method,
        "stage": stage,
        "seconds": ran.record["seconds"],
        "cpu_seconds": round(ran.record["processor_seconds"], 1),
        "peak_mib": peak,
        "disk_mib": ran.record["bytes"] >> 20,
        "counts": ran.record["counts"],
        "fresh": True,
    }
    if stage == "knn":
        row["near_recall"] = round(near_recall(read_knn(ran.folder), here), 4)
    if stage == "labels":
        truth, labels = np.load(folder / "truth.npy"), np.load(ran.folder / "labels.npy")
        scores = {"pairwise_f": pairwise(truth, labels).f, "bcubed_f": bcubed(truth, labels).f}
        row |= {name: round(100 * f, 2) for name, f in scores.items()}
    return row


def run(faces: int, method: str, stage: str) -> dict[str, Any]:
    """One stage in a process of its own."""
    words = ["--faces", str(faces), "--method", method, "--stage", stage]
    return run_apart("scale", *words)


def keep(rows: list[dict[str, Any]]) -> None:
    """Writes the figures, with the memory that the formulas of today tell."""
    few = FaceSet(np.eye(2, dtype=np.float32))
    told = {name: recipe(few) for name, recipe in RECIPES.items()}
    for row in rows:
        row["told_mib"] = memory_of(row["faces"], D, told[row["method"]])[row["stage"]] >> 20
    rows.sort(key=key)
    record("scale", {"d": D, "recall": RECALL, "threads": int(THREADS), "rows": rows})


def key(row: dict[str, Any]) -> tuple[int, int, int]:
    return row["faces"], list(RECIPES).index(row["method"]), STAGES.index(row["stage"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, nargs="*", default=[100_000, 300_000])
    parser.add_argument("--method", choices=RECIPES, help="only this one; the others' figures are kept")
    parser.add_argument("--again", nargs="+", choices=STAGES, help="only these; the others' figures are kept")
    parser.add_argument("--stage", choices=STAGES, help="measure this one here, print JSON, write nothing")
    chosen = parser.parse_args()
    if chosen.stage:
        print(json.dumps(measured(chosen.faces[0], chosen.method, chosen.stage)))
        return
    file = RESULTS / "scale.json"
    rows = json.loads(file.read_text())["rows"] if file.exists() else []
    keep(rows)
    methods = [chosen.method] if chosen.method else list(RECIPES)
    for faces in chosen.faces:
        for stage in chosen.again or STAGES:
            for method in methods:
                (prepare(faces) / method / f"{stage}.json").unlink(missing_ok=True)
        for method in methods:
            for stage in STAGES:
                row = run(faces, method, stage)
                if row["fresh"]:
                    rows = [other for other in rows if key(other) != key(row)] + [row]
                    print(row, flush=True)
                    keep(rows)
                if (method, stage) == (methods[0], OF_GRAPH[-1]):
                    for other in methods[1:]:
                        link_stages(OF_GRAPH, prepare(faces) / method, prepare(faces) / other)


if __name__ == "__main__":
    main()
