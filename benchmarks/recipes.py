"""The models that come with the package: `python -m benchmarks.recipes [NAME ...] [--embedders E ...]`."""

import argparse

from benchmarks.record import SHARED

EMBEDDERS = ("sface", "dlib")


def general(name: str, embedder: str) -> None:
    """A learned method, preset general, trained on `train`: 10,273 faces of 1,286 people, an eighth held out.

    The command is `python -m benchmarks.recipes NAME --embedders EMBEDDER`, one to six minutes on two cores.
    The held-out identities then have a mean of both F of 94 to 96 with sface features, and of 91 to 93 with
    dlib's; the score is in the header of the file.
    """
    from personae import read_faces
    from personae.methods import LEARNED
    from personae.methods.learned import SHIPPED

    method = LEARNED[name](preset="general").fit(read_faces(SHARED / "data" / f"train.{embedder}.npz"))
    SHIPPED.mkdir(exist_ok=True)
    file = SHIPPED / f"{name}.{embedder}.safetensors"
    method.save(file)
    print(f"{name}, {embedder}: {method.validation_:.4f}, {file.stat().st_size / 1000:.0f} kB", flush=True)


def main() -> None:
    from personae.methods import LEARNED

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(LEARNED))
    parser.add_argument("--embedders", nargs="*", default=EMBEDDERS)
    chosen = parser.parse_args()
    for name in chosen.names:
        for embedder in chosen.embedders:
            general(name, embedder)


if __name__ == "__main__":
    main()
