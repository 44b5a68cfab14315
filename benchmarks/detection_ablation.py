"""What GCN-D is made of, in small trainings: `python -m benchmarks.detection_ablation [PRESET]`.

Learned from `train`, SFace's features, and measured on `lfw`: how predicted and true IoU correlate, and both F.
`paper` has `PAPER_STEPS` steps instead of 4,000; `general` has `GENERAL_STEPS` instead of 3,000, and `SHAPES`
collections to learn from instead of all. So the figures are below those of whole trainings, and
are for comparison with each other alone. One seed.
"""

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array, eye_array

from benchmarks.detection import fs
from benchmarks.record import RESULTS, SHARED, record
from personae.link.gcn_d import DetectionConfig, DetectionModel
from personae.link.gcn_d_general import GeneralDetectionConfig, GeneralDetectionModel
from personae.link.proposal_graphs import ProposalGraphs

PAPER_STEPS, GENERAL_STEPS, SHAPES = 400, 500, 8
OUTSIDE = (2, 3, 5, 7, 10)  # columns of what leads out of a proposal
CENTRE = (9,)


class Degrees(DetectionModel):
    """Without features: members are seen by how many links they have inside."""

    def members(self, scene: Any, proposals: Any) -> Any:
        among = ProposalGraphs.of(scene.matrix, proposals)
        degrees = np.log1p(np.diff(among.inside.indptr)).astype(np.float32)
        return np.stack([degrees, np.ones_like(degrees)], axis=1), among.averaging()


class Edgeless(DetectionModel):
    """Without links: each member by itself."""

    def members(self, scene: Any, proposals: Any) -> Any:
        own, average = super().members(scene, proposals)
        return own, csr_array(eye_array(average.shape[0], dtype=np.float32))


PAPER: dict[str, tuple[type[DetectionModel], dict[str, Any]]] = {
    "as published": (DetectionModel, {}),
    "mean over members": (DetectionModel, {"pool": "mean"}),
    "sum over members": (DetectionModel, {"pool": "sum"}),
    "links all alike": (DetectionModel, {"weighted": False}),
    "no links": (Edgeless, {}),
    "no features": (Degrees, {"dimension": 2}),
    "widths 128, 32": (DetectionModel, {"hidden": (128, 32)}),
    "widths 32, 16": (DetectionModel, {"hidden": (32, 16)}),
    "widths 512, 256, 64": (DetectionModel, {"hidden": (512, 256, 64)}),
}
GENERAL: dict[str, tuple[int, tuple[int, ...]]] = {  # width, columns left out
    "as it is": (64, ()),
    "nothing of outside": (64, OUTSIDE),
    "no features": (64, CENTRE),
    "width 16": (16, ()),
    "width 128": (128, ()),
}


def published(exam: Any, test: Any, graph: Any) -> dict[str, Any]:
    from personae.link.proposal_search import Search
    from personae.train.gcn_d import BATCH, DetectionLesson, closeness
    from personae.train.gcn_d import PAPER as PLAN
    from personae.train.loop import train

    faces, truth = exam.lesson()
    close = closeness(faces, truth, exam.graph.k)
    search = Search(taus=close, linked=close[:1])
    more = replace(search, ks=(30, 60, 80))
    found = {}
    for name, (kind, changes) in PAPER.items():
        torch.manual_seed(0)
        model = kind(DetectionConfig(**{"dimension": faces.dimension, "search": search, **changes}))
        lesson = DetectionLesson(model, exam, [(faces, truth)], search=more, torn=False, batch=BATCH, seed=0)
        train(lesson, replace(PLAN, steps=PAPER_STEPS, validate_every=PAPER_STEPS))
        decision, _ = exam.decide(model.links(exam.faces, exam.graph), ["de_overlap"], {})
        found[name] = measured(model, decision, test, graph)
        print(name, found[name], flush=True)
    return found


def general(exam: Any, test: Any, graph: Any) -> dict[str, Any]:
    from personae.clustering.decision import Decision
    from personae.methods import GCND
    from personae.methods.gcn_d import REMAINS, WORTH
    from personae.train.gcn_d import GENERAL as PLAN
    from personae.train.gcn_d import GENERAL_BATCH, DetectionLesson, standardize
    from personae.train.loop import train
    from personae.train.worlds import spread_worlds

    evidence = GCND.pretrained("sface").model_.evidence.state_dict()
    taught = list(spread_worlds(*exam.lesson(), SHAPES, 0))
    decision = Decision("de_overlap", WORTH, {"remains": REMAINS})
    found, lesson = {}, None
    for name, (hidden, left_out) in GENERAL.items():
        torch.manual_seed(0)
        model = GeneralDetectionModel(GeneralDetectionConfig(hidden=hidden))
        model.evidence.load_state_dict(evidence)
        if lesson is None:
            search = model.config.search
            lesson = DetectionLesson(model, exam, taught, search=search, torn=True, batch=64, seed=0)
            assert lesson.batch == GENERAL_BATCH
        lesson.model, lesson.module = model, model.detection
        standardize(model, lesson)
        model.detection.scale[list(left_out)] = torch.inf  # always 0
        train(lesson, replace(PLAN, steps=GENERAL_STEPS, validate_every=GENERAL_STEPS))
        found[name] = measured(model, decision, test, graph)
        print(name, found[name], flush=True)
    return found


def measured(model: Any, decision: Any, test: Any, graph: Any) -> dict[str, float]:
    from personae.link.links import Links
    from personae.link.rated import Rated
    from personae.train.gcn_d import correlation
    from personae.train.proposals import overlaps

    scene = model.scene(test, graph)
    proposals = model.config.search.proposals(test, scene.graph)
    scores = model.scores(scene, proposals)
    true = overlaps(proposals, test.truth)
    people = decision.people(
        replace(Links.of(graph), proposals=Rated(proposals, model.worth(scene, proposals, scores)))
    )
    return {"correlation": round(correlation(scores[:, 0], true[:, 0]), 3), **fs(test.truth, people)}


PRESETS = {"paper": published, "general": general}


def main() -> None:
    from personae import knn_graph, read_faces
    from personae.train.exam import Exam

    learn, test = (read_faces(SHARED / "data" / f"{name}.sface.npz") for name in ("train", "lfw"))
    exam, graph = Exam.of(learn, learn.truth, 80, 0), knn_graph(test, 80)
    file = RESULTS / "detection_ablation.json"
    found = json.loads(file.read_text())["results"] if file.is_file() else {}
    found |= {name: PRESETS[name](exam, test, graph) for name in sys.argv[1:] or PRESETS}
    steps = {"paper": PAPER_STEPS, "general": GENERAL_STEPS}
    record("detection_ablation", {"learned_from": "train", "set": "lfw", "steps": steps, "results": found})


if __name__ == "__main__":
    main()
