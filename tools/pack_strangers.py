"""Makes the shipped strangers: the best face of each person of the sample album, aligned, one below the other.

And what SFace's features of different people are like: their mean and a factor of their covariance, of one face
each of the people in FEATURES, an .npz with `features` of unit rows and `truth`.

python tools/pack_strangers.py FEATURES
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from personae import read_faces
from personae.embed.align import crop_face, similarity_transforms, source_pixels
from personae.embed.embedder import sface
from personae.embed.quality import quality
from personae.embed.strangers import CROPS, USUAL, WEIGHTS
from personae.embed.yunet import yunet

ALBUM = Path(__file__).resolve().parents[1] / "examples" / "sample_album"


def main() -> None:
    """One crop a person, in the order of their names; photos of two people are left out."""
    with (ALBUM / "truth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    photos = [row["photo"] for row in rows]
    best: dict[str, tuple[float, np.ndarray]] = {}
    for row in rows:
        if photos.count(row["photo"]) == 1:
            with Image.open(ALBUM / "photos" / row["photo"]) as file:
                picture = file.convert("RGB")
            found = yunet().find(picture)
            transforms = similarity_transforms(found.landmarks)
            crop = crop_face(picture, transforms[0])
            worth = quality(float(found.scores[0]), float(source_pixels(transforms)[0]), crop)
            best[row["person"]] = max(
                best.get(row["person"], (0.0, crop)), (worth, crop), key=lambda each: each[0]
            )
    crops = np.concatenate([best[person][1] for person in sorted(best)])
    Image.fromarray(crops).save(WEIGHTS / CROPS, quality=95, subsampling=0)
    faces = read_faces(Path(sys.argv[1]))
    people = faces.features[np.unique(faces.truth, return_index=True)[1]].astype(np.float64)
    np.savez(
        WEIGHTS / USUAL,
        mean=people.mean(axis=0).astype(np.float32),
        factor=np.linalg.cholesky(np.cov(people.T)).astype(np.float32),
        fingerprint=np.frombuffer(sface().fingerprint, np.uint8),
    )


if __name__ == "__main__":
    main()
