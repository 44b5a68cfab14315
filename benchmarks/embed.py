"""How many faces a second go from photos to features: `python -m benchmarks.embed [--photos FOLDER]`.

The floor is what the two networks alone take on the very same inputs with the same number of threads; the
ratio to it is what reading, aligning, describing and storing add. The best of several turns counts, run and
floor in turn, since other programs only ever slow a run down; the ratio of processor seconds, all threads
together, suffers less from them. Written to benchmarks/results/embed.json.
"""

import argparse
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.record import record

SAMPLE = Path(__file__).parents[1] / "examples" / "sample_album" / "photos"


def main() -> None:
    from personae.embed.album import cores
    from personae.embed.faces import STAGES
    from personae.embed.photos import photos_in

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=SAMPLE)
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    photos = photos_in(arguments.photos)
    total = best_of([photos.path(file) for file in photos.files], arguments.workers, arguments.turns)
    faces = int(total["faces"])
    figures = {
        "photos": int(total["photos"]),
        "faces": faces,
        "workers": arguments.workers,
        "seconds": round(total["run"], 2),
        "faces_per_second": round(faces / total["run"], 1),
        "photos_per_second": round(total["photos"] / total["run"], 1),
        "faces_per_second_of_one_thread": {stage: round(faces / total[stage], 1) for stage in STAGES},
        "floor_seconds": round(total["floor"], 2),
        "ratio_to_floor": round(total["run"] / total["floor"], 3),
        "processor_ratio_to_floor": round(total["processor"] / total["floor_processor"], 3),
        "second_run_seconds": round(total["again"], 3),
    }
    print(json.dumps(figures, indent=2))
    record("embed", {"options": "" if arguments.photos == SAMPLE else "--photos FOLDER", "results": figures})


def best_of(paths: list[Path], workers: int, turns: int) -> dict[str, float]:
    """The least time of each kind over the turns."""
    inputs = inputs_of(paths)
    found: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(paths):
            (Path(folder) / f"{number:04d}{path.suffix}").symlink_to(path)
        for _ in range(turns):
            found.append(run(Path(folder), workers) | floor(*inputs, workers))
    return {name: min(one[name] for one in found) for name in found[0]}


def run(photos: Path, workers: int) -> dict[str, float]:
    """A first run into a fresh store and a second one that finds everything there."""
    from personae.embed import embed_photos

    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "faces.store"
        start = time.process_time()
        album = embed_photos(photos, store, workers=workers)
        processor = time.process_time() - start
        again = embed_photos(photos, store, workers=workers)
    assert album.fresh and not again.fresh
    sizes = {"photos": album.photos, "faces": len(album.faces)}
    times = {"run": album.timings.elapsed, "processor": processor, "again": again.timings.elapsed}
    return sizes | times | album.timings.seconds


def floor(pictures: list[Any], crops: list[Any], workers: int) -> dict[str, float]:
    """Seconds of the two networks alone, spread over as many threads."""
    from personae.embed.embedder import sface
    from personae.embed.yunet import OUTPUTS, yunet

    detector, embedder = yunet().session, sface().session
    source = embedder.get_inputs()[0].name
    with ThreadPoolExecutor(workers) as pool:
        start, processor = time.perf_counter(), time.process_time()
        for _ in pool.map(lambda pixels: detector.run(OUTPUTS, {"input": pixels}), pictures):
            pass
        for _ in pool.map(lambda values: embedder.run(None, {source: values}), crops):
            pass
        return {
            "floor": time.perf_counter() - start,
            "floor_processor": time.process_time() - processor,
        }


def inputs_of(files: list[Path]) -> tuple[list[Any], list[Any]]:
    """What the detector sees of these photos, and what the embedder sees of their faces."""
    from personae.embed.align import crop_face, similarity_transforms
    from personae.embed.embedder import sface
    from personae.embed.picture import BrokenPhotoError, decode, open_photo, shrink_to
    from personae.embed.yunet import FINE, looks, padded, yunet

    pictures, crops = [], []
    for path in files:
        with path.open("rb") as file:
            try:
                photo = open_photo(file)
                image = decode(photo, shrink_to(photo, FINE)).image
            except BrokenPhotoError:
                continue
        pictures += [padded(look) for look in looks(image)]
        transforms = similarity_transforms(yunet().find(image).landmarks)
        crops += [sface().inputs(crop_face(image, transform)) for transform in transforms]
    return pictures, crops


if __name__ == "__main__":
    main()
