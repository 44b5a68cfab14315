"""Every benchmark, then the tables made from them: `python -m benchmarks`."""

import subprocess
import sys

from benchmarks import tables
from benchmarks.record import SHARED

ANYWHERE = (
    "knn",
    "evaluate",
    "embed",
    "map_equation",
    "at_scale",
    "links",
    "video",
    "scale",
    "kills",
    "detection_scale",
)
REAL = (
    "unlearned",
    "default",
    "families",
    "bursts",
    "few_faces",
    "suggestions",
    "ablation",
    "learned",
    "experiments",
    "detection",
    "detection_ablation",
    "detection_pictures",
    "mediator",
    "albums",
    "synthetic",
    "balls",
    "update",
    "films",
    "foreign",
)  # these need the real embeddings
OTHERS = ("approximate", "one_by_one")  # these need the extra `bench`

if not SHARED.is_dir():
    print("without the real embeddings these are left out: " + ", ".join(REAL))
for name in (*ANYWHERE, *OTHERS, *(REAL if SHARED.is_dir() else ())):
    print(f"== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
tables.main()
