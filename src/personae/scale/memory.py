"""What links and people take at most, in bytes, by formulas that `benchmarks.scale` measures."""

from collections.abc import Callable
from typing import NamedTuple

from personae.data.pages import READ, READS
from personae.graph.affinity import LOOKS
from personae.graph.affinity import ROWS as MATRIX
from personae.scale.shards import PROGRAM, ROWS

LINKED = 24  # links a face that are foreseen
OF_LINK = 28  # bytes that the map equation holds for each of them
OF_FACE = 220  # and for each face,
OF_STRANGERS = 120  # and for its strangers while they are measured
OF_ENTRY = 100  # and the rows of an affinity matrix for each neighbor
LISTS = 8  # bytes a neighbor
AROUND = 1 << 16  # bytes of a map around each row that is read in no order
TORCH = 200 << 20
NETWORK = 250 << 20  # of blocks of faces in it
LOOKED_AT = 1 << 13  # faces at a time, in no order


class Size(NamedTuple):
    """N faces of d values with k neighbors; and whether the features are a map of a file."""

    n: int
    d: int
    k: int
    on_disk: bool

    def features(self, rows: int) -> int:
        """The features, or what is held of a map where so many rows are looked at."""
        whole = 4 * self.n * self.d
        return min(whole, rows * AROUND) if self.on_disk else whole

    @property
    def run(self) -> int:
        """Faces of a map that are read in one go, as `read_at_once`; 0 where there is none."""
        return min(self.n, max(READ, -(-self.n // READS))) if self.on_disk else 0


Memory = Callable[[Size], int]


def of_map_equation(size: Size, links: int = LINKED) -> int:
    """Links, so many a face, as lists or for the map equation; what is known of faces; some features."""
    links = min(size.k, links)
    of_links = size.n * max(LISTS * (size.k + links), OF_LINK * links)
    features = size.features(LOOKED_AT) + 4 * size.d * size.run
    return PROGRAM + size.n * OF_FACE + (max(of_links, features) if size.on_disk else of_links + features)


def of_auto_shard(n: int, d: int, sample: int = 1024) -> int:
    """Who everybody is, the features of a run of faces, and what they have with the sample."""
    return PROGRAM + 4 * n + ROWS * (4 * d + 16 * sample) + 16 * d * sample


def of_looks(size: Size, sample: int = 1024, links: int = LINKED) -> int:
    """What strangers look like, and the people that they tell apart by so many links a face."""
    shard = of_auto_shard(size.n, size.d, sample) + 16 * size.n
    return max(shard, of_map_equation(size, links) + OF_STRANGERS * size.n)


def of_evidence(size: Size, hidden: int) -> int:
    """Means of neighbors; the affinity; or what is known of pairs of a run of faces with another run."""
    n, d, k, on_disk = size
    run = size.run
    means = 0 if on_disk else 12 * n * d
    pairs = run * (12 * d + 4 * k) + run // 2 * (24 * k + 12 * d)
    judged = means + n * (4 * k + 8 * hidden + 320) + pairs
    averaged = means + size.features(LOOKED_AT) + 6 * d * run
    return PROGRAM + TORCH + NETWORK + max(averaged, means + _of_matrix(n, k), judged)


def of_convolution(size: Size, hidden: int) -> int:
    """Some features and the affinity; or the faces after the convolution, all or a run, and the links."""
    n, _, k, on_disk = size
    run = size.run or n
    convolved = 0 if on_disk else 4 * hidden * n
    judged = convolved + 8 * hidden * run + n * (4 * k + 24)
    return PROGRAM + TORCH + NETWORK + max(size.features(n) + convolved + _of_matrix(n, k), judged)


def _of_matrix(n: int, k: int) -> int:
    return 120 * n + OF_ENTRY * k * min(n, max(MATRIX, -(-n // LOOKS)))
