"""What was published of the methods that are here, on the data sets of the learned clustering literature.

In percent: pairwise F, BCubed F, NMI. Sources are abbreviated:

LTC     the tables in the repository of Yang et al., github.com/yl-1993/learn-to-cluster
FaceT   "Learning to Cluster Faces via Transformer", 2021, tables 2 to 4
Ada     the table in the repository of Ada-NETS, github.com/damo-cv/Ada-NETS
LCE     the table in the repository of LCE-PCENet, github.com/illian01/LCE-PCENet
FaceMap the paper, table 2
ESER    the table in the repository of FC-ESER, github.com/jumptoliujj/FC-ESER
B-Att   the table in the repository of B-Attention, github.com/Thomas-wyh/B-Attention
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Scores = tuple[float | None, float | None, float | None]
IDENTITIES = "identities"  # a setting that is the true number of people, as the papers have it


@dataclass(frozen=True)
class Published:
    """One row of a table.

    method:   a name in `METHODS` or `LEARNED`; None where the row is there to compare with
    title:    as the source calls it
    source:   see above
    scores:   pairwise F, BCubed F and NMI in percent, None where not told, by part
    settings: those of the method that differ from its own
    """

    method: str | None
    title: str
    source: str
    scores: Mapping[str, Scores]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DataSet:
    """A data set of the papers.

    title: as the papers call it
    k:     neighbors a face, itself counted as the papers do
    rows:  the published table
    learn: settings of the learned methods, by name
    """

    title: str
    k: int
    rows: tuple[Published, ...]
    learn: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def methods(self) -> list[str]:
        """The methods of the table that are here, in its order."""
        return [row.method for row in self.rows if row.method is not None]


PARTS = ("1", "3", "5", "7", "9")
SIZES = ("512", "1024", "1845")


def _ms1m(
    pairwise: tuple[float, ...], bcubed: tuple[float, ...], nmi: tuple[float, ...] = ()
) -> dict[str, Scores]:
    return {
        part: (pairwise[at], bcubed[at] if bcubed else None, nmi[at] if nmi else None)
        for at, part in enumerate(PARTS)
    }


def _ijbb(*bcubed: float) -> dict[str, Scores]:
    return {size: (None, score, None) for size, score in zip(SIZES, bcubed, strict=True)}


def _fashion(pairwise: float, bcubed: float, nmi: float | None = None) -> dict[str, Scores]:
    return {"": (pairwise, bcubed, nmi)}


MS1M = DataSet(
    "MS1M",
    80,
    (
        Published(
            None,
            "K-Means",
            "FaceT",
            _ms1m((79.21, 73.04, 69.83, 67.9, 66.47), (81.23, 75.2, 72.34, 70.57, 69.42)),
        ),
        Published(
            "hac",
            "HAC",
            "FaceT",
            _ms1m((70.63, 54.4, 11.08, 1.4, 0.37), (70.46, 69.53, 68.62, 67.69, 66.96)),
        ),
        Published(
            "dbscan",
            "DBSCAN",
            "FaceT",
            _ms1m((67.93, 63.41, 52.5, 45.24, 44.94), (67.17, 66.53, 66.26, 44.87, 44.74)),
        ),
        Published(
            "aro",
            "ARO",
            "FaceT",
            _ms1m((13.6, 8.78, 7.3, 6.86, 6.35), (17.0, 12.42, 10.96, 10.5, 10.01)),
            {"k": 80, "t": 1.0},
        ),
        Published("chinese_whispers", "Chinese Whispers", "LTC", {"1": (53.93, None, None)}),
        Published(
            "cdp",
            "CDP (single model, th = 0.7)",
            "LTC",
            _ms1m(
                (75.02, 70.75, 69.51, 68.62, 68.06),
                (78.7, 75.82, 74.58, 73.62, 72.92),
                (94.69, 94.62, 94.63, 94.62, 94.61),
            ),
        ),
        Published(
            "facemap",
            "FaceMap",
            "FaceMap",
            _ms1m((94.24, 91.31, 89.32, 87.74, 86.37), (92.55, 89.67, 88.2, 87.11, 86.29)),
        ),
        Published("fces", "FC-ES", "ESER", {"9": (88.75, 87.23, None)}),
        Published(
            None,
            "raw features + Infomap",
            "B-Att",
            _ms1m((93.91, 90.1, 88.49, 85.31, 83.08), (92.42, 89.08, 87.3, 86.01, 85.01)),
        ),
        Published(
            "l_gcn",
            "L-GCN",
            "LTC",
            _ms1m(
                (78.68, 75.83, 74.29, 73.7, 72.99),
                (84.37, 81.61, 80.11, 79.33, 78.6),
                (96.12, 95.78, 95.63, 95.57, 95.49),
            ),
        ),
        Published(
            "gcn_d",
            "GCN-D (20 proposal sets)",
            "LTC",
            _ms1m(
                (87.61, 83.76, 81.62, 80.33, 79.21),
                (87.76, 83.99, 82.0, 80.72, 79.71),
                (97.04, 96.55, 96.33, 96.18, 96.07),
            ),
        ),
        Published(
            "gcn_ds",
            "DS-GCN (GCN-D + GCN-S)",
            "LCE",
            _ms1m((85.66, 82.41, 80.32, 78.98, 77.87), (85.52, 83.01, 81.1, 79.84, 78.86)),
        ),
        Published(
            "gcn_v",
            "GCN-V",
            "LTC",
            _ms1m(
                (87.14, 83.49, 81.51, 79.97, 78.77),
                (85.81, 82.63, 81.05, 79.92, 79.08),
                (96.37, 96.01, 95.83, 95.69, 95.6),
            ),
        ),
        Published(
            "gcn_ve",
            "GCN-V + GCN-E",
            "LTC",
            _ms1m(
                (87.93, 84.04, 82.1, 80.45, 79.3),
                (86.09, 82.84, 81.24, 80.09, 79.25),
                (96.41, 96.03, 95.85, 95.71, 95.62),
            ),
        ),
        Published(
            "star_fc",
            "STAR-FC",
            "Ada",
            _ms1m((91.97, 88.28, 86.17, 84.7, 83.46), (90.21, 86.26, 84.13, 82.63, 81.47)),
        ),
        Published(
            "facet",
            "FaceT",
            "FaceT",
            _ms1m(
                (91.12, 89.07, 86.78, 84.1, 83.86),
                (90.5, 86.84, 85.09, 84.67, 83.86),
                (97.61, 97.12, 96.87, 96.82, 96.67),
            ),
        ),
    ),
)

IJBB = DataSet(
    "IJB-B",
    80,
    (
        Published("kmeans", "K-Means", "FaceT", _ijbb(61.2, 60.3, 60.0), {"n_clusters": IDENTITIES}),
        Published("dbscan", "DBSCAN", "FaceT", _ijbb(75.3, 72.5, 69.5)),
        Published(None, "Spectral", "FaceT", _ijbb(51.7, 50.8, 51.6)),
        Published(None, "AP", "FaceT", _ijbb(49.4, 48.4, 47.7)),
        Published("aro", "ARO", "FaceT", _ijbb(76.3, 75.8, 75.5)),
        Published("ddc", "DDC", "FaceT", _ijbb(80.2, 80.5, 80.0)),
        Published("l_gcn", "L-GCN", "FaceT", _ijbb(83.3, 83.3, 81.4)),
        Published("facet", "FaceT", "FaceT", _ijbb(83.1, 83.3, 82.2)),
    ),
)

DEEPFASHION = DataSet(
    "DeepFashion",
    5,
    (
        Published("kmeans", "K-Means (3991)", "LTC", _fashion(32.02, 53.3, 88.91), {"n_clusters": IDENTITIES}),
        Published("hac", "HAC, single, distance 0.4", "LTC", _fashion(22.54, 48.77, 90.44), {"tau": 0.92}),
        Published(
            "dbscan",
            "DBSCAN (k = 4)",
            "LTC",
            _fashion(25.07, 53.23, 90.75),
            {"k": 4, "tau": 0.9, "min_samples": 2},
        ),
        Published(None, "Mean shift (0.5)", "LTC", _fashion(31.61, 56.73, 89.29)),
        Published(None, "Spectral (3991)", "LTC", _fashion(29.6, 47.12, 86.95)),
        Published("aro", "ARO (k = 10)", "LTC", _fashion(25.04, 52.77, 88.71), {"k": 10, "t": 1.0}),
        Published(
            "chinese_whispers",
            "Chinese Whispers (k = 5, th = 0.7)",
            "LTC",
            _fashion(31.22, 53.25, 89.8),
            {"k": 5, "tau": 0.7},
        ),
        Published(
            "cdp",
            "CDP (k = 2, th = 0.5)",
            "LTC",
            _fashion(28.28, 57.83, 90.93),
            {"k": 2, "tau": 0.5, "max_size": 200},
        ),
        Published("l_gcn", "L-GCN", "LTC", _fashion(30.7, 60.13, 90.67)),
        Published("gcn_d", "GCN-D (20 proposal sets)", "LTC", _fashion(33.25, 56.83, 89.36)),
        Published("gcn_v", "GCN-V", "LTC", _fashion(33.59, 59.41, 90.88)),
        Published("gcn_ve", "GCN-V + GCN-E", "LTC", _fashion(38.47, 60.06, 90.5)),
        Published("star_fc", "STAR-FC", "Ada", _fashion(37.07, 60.6)),
        Published("facet", "FaceT", "FaceT", _fashion(34.82, 61.29, 91.28)),
    ),
    MappingProxyType({"l_gcn": {"training": (5, 5, 5), "testing": (5, 5, 5)}, "facet": {"k": 8}}),
)

DATA_SETS: dict[str, DataSet] = {"ms1m": MS1M, "ijbb": IJBB, "deepfashion": DEEPFASHION}
