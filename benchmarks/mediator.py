"""CDP's vote and its mediator, alone and with a committee: `python -m benchmarks.mediator`.

Two directions, as in `benchmarks.learned`; both embedders' features are of the same photos, so each is the
committee of the other. The vote's threshold is chosen on the same eighth of the training identities.
"""

import argparse
from typing import Any

from benchmarks.learned import DIRECTIONS, EMBEDDERS, sides
from benchmarks.record import record

OTHER = {"sface": "dlib", "dlib": "sface"}


def vote(learn: list[Any], test: list[Any], seed: int) -> Any:
    """The labels of CDP, whose `tau` is chosen as learned methods choose theirs."""
    from personae import CDP, knn_graph
    from personae.link.consensus import Consensus
    from personae.link.links import Links
    from personae.train.exam import Exam

    method = CDP()
    exam = Exam.of(learn[0], learn[0].truth, method.k, seed)
    committee = [knn_graph(member, method.k) for member in learn[1:]]
    agreed = Links.of(Consensus(tau=-1).link(exam.graph, committee))
    method.tau = exam.decide(agreed, ["propagation"], {})[0].tau
    return method.fit(test[0], committee=test[1:]).labels_


def mediated(learn: list[Any], test: list[Any], seed: int) -> Any:
    """The labels of the mediator."""
    from personae import MediatedCDP

    method = MediatedCDP(seed=seed).fit(learn[0], committee=learn[1:])
    return method.predict(test[0], committee=test[1:])


def main() -> None:
    from personae import evaluate

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    rows = []
    for seed in parser.parse_args().seeds:
        for direction in DIRECTIONS:
            for embedder in EMBEDDERS:
                both = [sides(direction, one) for one in (embedder, OTHER[embedder])]
                for committee in (0, 1):
                    learn, test = (list(side)[: committee + 1] for side in zip(*both, strict=True))
                    for method in (vote, mediated):
                        score = evaluate(test[0].truth, method(learn, test, seed))
                        row = {
                            "direction": direction,
                            "embedder": embedder,
                            "method": method.__name__,
                            "committee": committee,
                            "seed": seed,
                            "pairwise_f": round(100 * score.pairwise.f, 2),
                            "bcubed_f": round(100 * score.bcubed.f, 2),
                        }
                        print(row, flush=True)
                        rows.append(row)
                        record("mediator", {"rows": rows})


if __name__ == "__main__":
    main()
