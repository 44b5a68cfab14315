"""From links to people: any link model with any clusterer, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.clustering.components import Components
from personae.clustering.de_overlap import DeOverlap, Suppression
from personae.clustering.density_tree import DensityTree
from personae.clustering.map_equation import MapEquation
from personae.clustering.node_intimacy import NodeIntimacy
from personae.clustering.propagation import Propagation
from personae.errors import InputError
from personae.graph.knn_graph import KnnGraph
from personae.link.links import Links

CLUSTERERS: dict[str, Callable[..., Any]] = {
    "components": Components,
    "de_overlap": DeOverlap,
    "density_tree": DensityTree,
    "map_equation": MapEquation,
    "node_intimacy": NodeIntimacy,
    "propagation": Propagation,
    "suppression": Suppression,
}
OF_PROPOSALS = ("de_overlap", "suppression")


@dataclass(frozen=True)
class Decision:
    """Which links count, and what makes people of them.

    clusterer:  a name in `CLUSTERERS`
    tau:        links, or proposals, of lower weight are dropped first
    parameters: those of the clusterer that differ from its own
    """

    clusterer: str
    tau: float
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def people(self, links: Links) -> NDArray[np.int32]:
        """(N,) int32, 0..C-1 in the order of the first faces.

        InputError: no such clusterer, or one of proposals where the links have none.
        """
        if self.clusterer not in CLUSTERERS:
            raise InputError(
                f"no clusterer of links is called {self.clusterer}; there are {', '.join(CLUSTERERS)}"
            )
        if self.clusterer in OF_PROPOSALS:
            if links.proposals is None:
                raise InputError(f"{self.clusterer} needs proposals, which this link model does not make")
            proposals = links.proposals.at_least(self.tau)
            return np.asarray(
                CLUSTERERS[self.clusterer](**self.parameters).cluster(proposals, len(links.density))
            )
        if self.clusterer in ("components", "density_tree"):  # these cut by themselves
            clusterer = CLUSTERERS[self.clusterer](tau=self.tau, **self.parameters)
            if self.clusterer == "density_tree":
                return np.asarray(clusterer.cluster(links.graph, links.density, links.preference))
            return np.asarray(clusterer.cluster(links.graph))
        clusterer = CLUSTERERS[self.clusterer](**self.parameters)
        return np.asarray(clusterer.cluster(self.kept(links)))

    def kept(self, links: Links) -> KnnGraph:
        """The links that count; those of weight 0 or less don't."""
        return links.graph.at_least(self.tau) if self.tau > 0 else links.graph.positive()
