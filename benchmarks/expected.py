"""What `personae.evaluation.expected` knows: `python -m benchmarks.expected` learns it and writes it down.

From half of the people of `train`, both embedders, put together in ten ways and in five spaces each. How well
it holds `benchmarks.default` says, of all its collections and of those of `lfw` and `train_small` alone, of
whose people next to none are among these. Some six minutes.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from benchmarks import collections as drawn
from personae import Auto, FaceSet
from personae.evaluation.expected import LEARNED, LEAST, METRICS, SIZE, kept_together, signs

K = 80
AT_MOST = 0.1  # an error beyond counts no more
CAPS: dict[str, drawn.Caps] = {
    "whole": drawn.whole,
    "lone": drawn.alone(1.0),
    "0.9 lone": drawn.alone(0.9),
    "0.7 lone": drawn.alone(0.7),
    "0.4 lone": drawn.alone(0.4),
    "5 each": drawn.balanced(5),
    "3 each": drawn.balanced(3),
    "24 large": drawn.largest(24),
    "album": drawn.album(150, 30),
    "tail": drawn.tail,
}
SPACES = (drawn.as_it_is, drawn.noisy, drawn.shorter, drawn.crowded, drawn.rectified)


class Example(NamedTuple):
    """A collection: the labels, those of a stricter and a looser look, and the truth."""

    truth: NDArray[np.intp]
    labels: NDArray[np.int32]
    strict: NDArray[np.int32]
    loose: NDArray[np.int32]


def first_half(caps: drawn.Caps) -> drawn.Caps:
    """Of the first half of the people by an order that is always the same."""

    def halved(count: NDArray[np.intp], draw: np.random.Generator) -> NDArray[np.intp]:
        half = np.random.default_rng(7).permutation(len(count)) < len(count) // 2
        some = np.zeros(len(count), dtype=np.intp)
        some[half] = caps(count[half], draw)
        return some

    return halved


def examples() -> Iterator[Example]:
    for embedder in ("sface", "dlib"):
        for kind, caps in CAPS.items():
            for space in SPACES:
                name = f"{kind}, {space.__name__}"
                faces = drawn.Collection(name, f"train.{embedder}", first_half(caps), space).faces(0)
                print(embedder, name, len(faces), flush=True)
                yield looked_at(faces)


def looked_at(faces: FaceSet) -> Example:
    looks, _ = Auto(K).fit_looks(faces)
    assert faces.truth is not None
    return Example(faces.truth, looks.labels(1), looks.labels(3), looks.labels(0))


def learned(found: list[Example]) -> dict[str, Any]:
    """The coefficients, and how far logit(F) was from them in nine of ten collections."""
    result: dict[str, Any] = {}
    several = [one for one in found if len(np.unique(one.truth)) < len(one.truth)]
    for name, measure in METRICS.items():
        used = several if name == "pairwise" else found  # which says nothing where nobody is there twice
        scores = [measure(one.truth, one.labels) for one in used]
        told = [signs(name, one.labels, one.strict, one.loose) for one in used]
        rows = {what: np.array([sign[what] for sign in told]) for what in ("precision", "f")}
        result[name] = {
            what: fitted(rows[what], np.array([getattr(score, what) for score in scores])) for what in rows
        }
        away = bounded([score.f for score in scores]) - rows["f"] @ result[name]["f"]
        result[name]["interval"] = np.quantile(away, (0.05, 0.95)).tolist()
        result[name]["largest"] = float(rows["f"][:, SIZE].max())
    kept, right = (np.concatenate(values) for values in zip(*map(of_people, found), strict=True))
    result["people"] = likeliest(bounded(kept), right)
    return result


def of_people(one: Example) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each person found with several faces, what the strict look keeps together, and what is right."""
    several = np.bincount(one.labels) > 1
    return kept_together(one.labels, one.strict)[several], kept_together(one.labels, one.truth)[several]


def bounded(share: Any) -> Any:
    return logit(np.clip(share, LEAST, 1 - LEAST))


def fitted(rows: NDArray[np.float64], share: NDArray[np.float64]) -> list[float]:
    """The line in logits, rising with the agreements, whose shares are nearest by the mean of the errors."""

    def error(line: NDArray[np.float64]) -> float:
        return float(np.minimum(np.abs(expit(rows @ line) - share), AT_MOST).mean())

    line = np.linalg.lstsq(rows, bounded(share), rcond=None)[0]
    rising = [(0, None)] * 2 + [(None, None)] * (rows.shape[1] - 2)
    for _ in range(3):
        line = minimize(error, line, method="Nelder-Mead", bounds=rising, options={"maxiter": 4000}).x
    return [round(float(value), 4) for value in line]


def likeliest(sign: NDArray[np.float64], share: NDArray[np.float64]) -> list[float]:
    """Intercept and slope of the logistic curve through shares."""

    def surprise(line: NDArray[np.float64]) -> float:
        at = line[0] + line[1] * sign
        return float((np.logaddexp(0, at) - share * at).mean())

    return [round(float(value), 4) for value in minimize(surprise, [2.0, 0.5]).x]


def main() -> None:
    LEARNED.write_text(json.dumps(learned(list(examples())), indent=1) + "\n")
    print(LEARNED.read_text())


if __name__ == "__main__":
    main()
