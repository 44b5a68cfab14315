"""Every benchmark, then the tables made from them: `python -m benchmarks`."""

import subprocess
import sys

from benchmarks import tables
from benchmarks.record import SHARED

ANYWHERE = ("knn", "evaluate", "embed", "map_equation", "at_scale", "links", "video")
REAL = ("unlearned", "default", "learned", "detection", "synthetic", "balls")  # these need the real embeddings

for name in (*ANYWHERE, *(REAL if SHARED.is_dir() else ())):
    print(f"== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
tables.main()
