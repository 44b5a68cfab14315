"""Small models of every learned method, of people we made; each is trained when it is first asked for."""

from dataclasses import replace
from functools import cache

from personae import GCND, GCNDS, GCNV, GCNVE, LGCN, FaceT, MediatedCDP, StarFC
from personae.methods.star_fc import PAPER
from personae.train import gcn_d
from personae.train.evidence import PLAN
from personae.train.mediator import GENERAL as MEDIATED
from personae.train.plan import Plan
from tests.planted import made_faces

LEARN = made_faces([12] * 5 + [6] * 20 + [2] * 10, d=24, spread=0.5)
MIXED = made_faces([12] * 5 + [6] * 20 + [2] * 10, d=24, spread=0.7)  # some proposals are of two people
OTHERS = made_faces([15, 10] + [6] * 12 + [1] * 9, d=24, spread=0.5, seed=3)
GCN = Plan(steps=20, validate_every=20, optimizer="adamw", learning_rate=3e-3)
SIZES = {"training": (12, 3, 3), "testing": (16, 3, 3)}
MADE = {
    (LGCN, "paper"): {"plan": Plan(steps=8, validate_every=8), **SIZES},
    (LGCN, "general"): {
        "plan": Plan(steps=80, optimizer="adamw", learning_rate=5e-3, schedule="cosine", validate_every=80),
        **SIZES,
    },
    (GCNV, "paper"): {"plan": GCN},
    (GCNV, "general"): {"plan": GCN},
    (GCNVE, "paper"): {"plan": GCN},
    (GCNVE, "general"): {"plan": GCN},
    (StarFC, "paper"): {"plan": replace(PAPER, steps=24, validate_every=12)},
    (StarFC, "general"): {"plan": replace(PLAN, steps=60, validate_every=30)},
    (FaceT, "paper"): {"plan": Plan(40, "adamw", learning_rate=3e-3, validate_every=40)},
    (FaceT, "general"): {"plan": Plan(40, "adamw", learning_rate=3e-3, validate_every=40)},
    (MediatedCDP, "paper"): {"plan": replace(MEDIATED, steps=200, validate_every=200)},
    (MediatedCDP, "general"): {"plan": replace(MEDIATED, steps=200, validate_every=200)},
    (GCND, "paper"): {"plan": replace(gcn_d.PAPER, steps=120, validate_every=60)},
    (GCND, "general"): {"plan": replace(gcn_d.GENERAL, steps=80, validate_every=40)},
    (GCNDS, "paper"): {"plan": replace(gcn_d.PAPER, steps=60, validate_every=30)},
    (GCNDS, "general"): {"plan": replace(gcn_d.GENERAL, steps=60, validate_every=30)},
}


@cache
def labels_of_others(method, preset):
    return trained(method, preset).predict(OTHERS)


@cache
def trained(method, preset):
    people = MIXED if method is GCNDS else LEARN
    return method(preset=preset, k=20, **MADE[method, preset]).fit(people)
