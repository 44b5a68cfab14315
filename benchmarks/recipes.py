"""The models that come with the package: `python -m benchmarks.recipes [NAME ...] [--embedders E ...]`."""

import argparse
from pathlib import Path
from typing import Any

from benchmarks.learned import kept_in
from benchmarks.record import SHARED

EMBEDDERS = ("sface", "dlib")


def general(name: str, embedder: str, folder: Path | None) -> None:
    """A learned method, preset general, trained on `train`: 10,273 faces of 1,286 people, an eighth held out.

    The command is `python -m benchmarks.recipes NAME --embedders EMBEDDER`, one to six minutes on two cores.
    The held-out identities then have a mean of both F of 94 to 96 with sface features, and of 91 to 93 with
    dlib's; the score is in the header of the file.
    """
    from personae import read_faces
    from personae.methods import LEARNED

    faces = read_faces(SHARED / "data" / f"train.{embedder}.npz")
    kept = None if folder is None else kept_in(folder / f"train to lfw {embedder} 0", name, "general")
    method = LEARNED[name](preset="general").fit(faces, folder=kept)
    keep(method, embedder)


def again(name: str, embedder: str) -> None:
    """The model that is there, with its thresholds chosen anew as the recipe chooses them; half a minute."""
    from personae import read_faces
    from personae.methods import LEARNED
    from personae.train.exam import Exam

    method = LEARNED[name].pretrained(embedder)
    faces = read_faces(SHARED / "data" / f"train.{embedder}.npz")
    exam = Exam.of(faces, faces.truth, method.k, method.seed)
    before = method.decision_
    method.decision_, method.validation_ = method._decide(
        exam, method.model_, method._examined(exam, method.model_)
    )
    keep(method, embedder)
    print(f"  {before}\n  {method.decision_}", flush=True)


def keep(method: Any, embedder: str) -> None:
    from personae.methods.learned import SHIPPED

    SHIPPED.mkdir(exist_ok=True)
    file = SHIPPED / f"{method.name}.{embedder}.safetensors"
    method.save(file)
    size = file.stat().st_size / 1000
    print(f"{method.name}, {embedder}: {method.validation_:.4f}, {size:.0f} kB", flush=True)


def main() -> None:
    from personae.methods import LEARNED

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(LEARNED))
    parser.add_argument("--embedders", nargs="*", default=EMBEDDERS)
    parser.add_argument("--checkpoints", type=Path, help="as in benchmarks.learned, whose runs are the same")
    parser.add_argument("--again", action="store_true", help="choose thresholds anew, keep the networks")
    chosen = parser.parse_args()
    for name in chosen.names:
        for embedder in chosen.embedders:
            if chosen.again:
                again(name, embedder)
            else:
                general(name, embedder, chosen.checkpoints)


if __name__ == "__main__":
    main()
