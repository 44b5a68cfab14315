"""People in made videos, and what length costs: `python -m benchmarks.video [--minutes 2 60] [--page DIR]`.

Twelve people of the sample album in sixty tracks with a cut before each shot; who is found, by the default
method and by others, over three seeds. WCP is the share of tracks whose cluster is mostly of their person. Then
the same people in films of the two lengths, one picture a second looked at: peak memory and seconds. Written to
benchmarks/results/video.json. `--page DIR` leaves there the page of the first film, `--picture FILE` its
timelines as a picture.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import RESULTS, peak_mib, record
from tests.embed.made_video import RATE, Shot, play, truth_of, write_video

ALBUM = Path(__file__).parents[1] / "examples" / "sample_album"
SEEDS = (0, 1, 2)
PICTURES = 24  # a shot
STEP = 0.25  # seconds between the pictures of a long film


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, nargs="*", default=(2, 60), help="none: those figures stay")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        print(json.dumps(looked_through(arguments.alone)))
        return
    if arguments.page:
        write_page_of(arguments.page)
        return
    if arguments.picture:
        draw_timelines(arguments.picture)
        return
    people = [row for seed in SEEDS for row in found_in(play(ALBUM, 12, 60, PICTURES, seed), seed)]
    memory = [long_film(minutes) for minutes in arguments.minutes]
    if not arguments.minutes:
        memory = json.loads((RESULTS / "video.json").read_text())["memory"]
    print(json.dumps({"people": people, "memory": memory}, indent=1))
    record("video", {"people": people, "memory": memory})


def found_in(shots: list[Shot], seed: int) -> list[dict[str, Any]]:
    """A row a method."""
    from personae.embed import embed_photos, sface
    from personae.embed.strangers import strangers
    from personae.methods import C1C, HAC, Auto, Threshold

    with tempfile.TemporaryDirectory() as folder:
        write_video(Path(folder) / "film.mp4", shots)
        album = embed_photos(Path(folder), Path(folder) / "faces.store")
    truth = truth_of(album.faces.sources, shots)
    methods = {
        "Auto": Auto(strangers=strangers(sface())),
        "C1C": C1C(),
        "HAC, average, tau 0.44": HAC("average", 0.44),
        "Threshold, tau 0.55": Threshold(0.55),
    }
    rows = []
    for name, method in methods.items():
        for constraints in (None, album.constraints):
            labels = method.fit(album.faces, constraints=constraints).labels_
            rows.append(
                {
                    "method": name,
                    "constraints": constraints is not None,
                    "seed": seed,
                    "tracks": len(labels),
                    "people": len(set(truth.tolist())),
                    "clusters": int(labels.max()) + 1,
                    "wcp": round(100 * purity(truth, labels), 2),
                }
            )
    return rows


def purity(truth: np.ndarray, labels: np.ndarray) -> float:
    """WCP in [0, 1]: the share of tracks whose cluster is mostly of their person."""
    right = sum(np.unique(truth[labels == one], return_counts=True)[1].max() for one in set(labels.tolist()))
    return float(right / len(labels))


def long_film(minutes: int) -> dict[str, Any]:
    """Peak memory and seconds of a process that looks through a film of this length."""
    shots = play(ALBUM, 12, round(minutes * 60 / 8 * 2.5), round(8 / STEP))
    pictures = sum(shot.pictures for shot in shots)
    with tempfile.TemporaryDirectory() as folder:
        write_video(Path(folder) / "film.mp4", shots, times=np.arange(pictures) * STEP)
        command = [sys.executable, "-m", "benchmarks.video", "--alone", folder]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {"minutes": round(pictures * STEP / 60, 1), **json.loads(told)}


def looked_through(folder: Path) -> dict[str, Any]:
    from personae.embed import embed_photos

    began = time.perf_counter()
    album = embed_photos(folder, folder / "faces.store", rate=1, workers=1)
    seconds = round(time.perf_counter() - began, 1)
    return {"tracks": len(album.faces), "seconds": seconds, "peak_mib": peak_mib()}


def write_page_of(out: Path) -> None:
    """The page of the first film, to be looked at."""
    from personae.cli.app import app

    shots = play(ALBUM, 12, 60, 2 * RATE)
    film = out / "films"
    film.mkdir(parents=True, exist_ok=True)
    write_video(film / "film.mp4", shots)
    app(["people", str(film), "--out", str(out)], standalone_mode=False)


def draw_timelines(path: Path) -> None:
    """When each person of the first film is seen: their best face, and a strip of the whole film."""
    import io

    import matplotlib.pyplot as plt
    from PIL import Image

    from personae.embed import embed_photos, sface
    from personae.embed.strangers import strangers
    from personae.methods import Auto

    with tempfile.TemporaryDirectory() as folder:
        write_video(Path(folder) / "film.mp4", play(ALBUM, 12, 60, 2 * RATE))
        album = embed_photos(Path(folder), Path(folder) / "faces.store")
        labels = Auto(strangers=strangers(sface())).fit(album.faces, constraints=album.constraints).labels_
        sources, people = album.faces.sources, range(int(labels.max()) + 1)
        best = [max(np.flatnonzero(labels == one), key=lambda row: sources.quality[row]) for one in people]
        faces = [Image.open(io.BytesIO(album.thumbnails[int(row)])) for row in best]
    figure, axes = plt.subplots(len(best), 2, figsize=(8, 0.5 * len(best)), width_ratios=(1, 14), sharex="col")
    for (left, right), face, one in zip(axes, faces, people, strict=True):
        left.imshow(face, extent=(0, 1, 0, 1))
        left.axis("off")
        spans = sources.span[labels == one]
        right.broken_barh([(first, last - first) for first, last in spans], (0, 1), color="#3b6ea5")
        right.set(ylim=(-0.6, 1.6), yticks=[], xlim=(0, float(sources.span.max())))
        right.spines[:].set_visible(False)
        right.tick_params(bottom=one == len(best) - 1)
        right.axhline(0.5, color="#d5dce4", zorder=0)
    axes[-1][1].set_xlabel("seconds")
    figure.subplots_adjust(left=0.01, right=0.99, top=0.99, bottom=0.11, hspace=0.06, wspace=0.03)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
