"""Shards on Ray: three nodes on this machine, and the labels of one process, whoever is killed."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs ray; pip install 'personae[ray]'")

THREE_NODES = """
import json, os, signal, sys, time
from functools import partial
from pathlib import Path
import ray
from ray.cluster_utils import Cluster
from personae import Auto, SyntheticIdentities, Threshold, synthetic_faces
from personae.graph import search, tables
from personae.scale import cells_stage, recipes, search_stages
from personae.scale.pipeline import people_in_stages
from personae.scale.shards import HERE, OnRay
from personae.scale.stages import Run

search.SMALL = cells_stage.SMALL = 0
tables.TABLES = 2
tables.Tables.cost = lambda of, _: -len(of.cells)
search_stages.FACES, cells_stage.LOOKED_UP, recipes.ROWS = 200, 300, 300
folder = Path(sys.argv[1])

def traced(shard, work, mark):
    (folder / ("node-" + ray.get_runtime_context().get_node_id())).touch()
    time.sleep(0.1)
    if mark is None:
        return work(shard)
    try:
        (folder / mark).touch(exist_ok=False)
    except FileExistsError:
        return work(shard)
    os.kill(os.getpid(), signal.SIGKILL)

class Troubled(OnRay):
    runs = 0
    def run(self, work, shards, memory):
        self.runs += 1
        mark = f"killed-{self.runs}" if self.runs in (3, 5) else None  # in pairs of cells, and in links
        return super().run(partial(traced, work=work, mark=mark), shards, memory)

def told(name, done, total):
    steps.append(name)
    if steps.count("knn") == 12:
        cluster.remove_node(nodes.pop(), allow_graceful=False)

faces = synthetic_faces(SyntheticIdentities(faces=900))
several = [recipes.auto_recipe(Auto(k=12)), recipes.threshold_recipe(Threshold(tau=0.5, k=12))]
def labels(at, run):
    for recipe in several:
        found, ran = people_in_stages(faces, recipe, folder / at, run, recall=0.9)
        checksums = {name: stage.record["checksum"] for name, stage in ran.items()}
        yield [sorted(checksums.items()), found.tolist()]

here = list(labels("here", Run(8 << 30, lambda *_: None)))
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "memory": 4 << 30})
nodes = [cluster.add_node(num_cpus=1, memory=4 << 30) for _ in range(2)]
place, steps = Troubled(cluster.address), []
there = list(labels("there", Run(8 << 30, told, place)))
told_of = {
    "same": here == there,
    "nodes": len(list(folder.glob("node-*"))),
    "left": len(cluster.list_all_nodes()),
    "killed": len(list(folder.glob("killed-*"))),
}
(folder / "told.json").write_text(json.dumps(told_of))
ray.shutdown()
cluster.shutdown()
"""


@pytest.mark.slow
@needs_ray
def test_three_nodes_find_the_same_people_whichever_worker_or_node_is_lost(tmp_path):
    command = [sys.executable, "-c", THREE_NODES, str(tmp_path)]
    subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=900)
    told = json.loads((tmp_path / "told.json").read_text())
    assert told == {"same": True, "nodes": 3, "left": 2, "killed": 2}
