"""FaceT: enhanced faces, candidates judged together by attention, and chains of links.

"Learning to Cluster Faces via Transformer", 2021.
"""

from dataclasses import replace
from typing import Any

from personae.link.links import LinkModel
from personae.methods.learned import LearnedClusterer, Progress


class FaceT(LearnedClusterer):
    """Attention over neighbors says which candidates are a face's own person; chains of such links are people.

    It believes that the candidates of a face explain each other: a transformer enhances each face by its 5
    nearest, a second one looks at all candidates of a face at once. Nothing is said of where in a person a face
    lies, so one false link joins two people for good. With preset "paper" it learns the faces themselves, and
    needs the identities of a large collection; on a thousand it knows them by heart. Preset "general" sees
    cosines and ranks only, and is trained on collections of several shapes made of the
    training faces.

    k: candidates a face, hop1; the paper trains with 150. Training takes minutes; links cost O(N k^2 d).
    """

    name = "facet"
    own = "components"

    def _learn(self, exam: Any, folder: Any, progress: Progress | None) -> tuple[LinkModel, list[Any]]:
        if self.preset == "paper":
            from personae.link.facet import FaceTConfig  # noqa: PLC0415  (needs torch)
            from personae.train.facet import PUBLISHED, learn_facet  # noqa: PLC0415

            plan = replace(self.plan or PUBLISHED, seed=self.seed)
            return learn_facet(exam, FaceTConfig(exam.faces.dimension), plan, folder, progress)
        from personae.link.facet_general import GeneralFaceTConfig  # noqa: PLC0415
        from personae.train.facet_general import GENERAL, learn_general  # noqa: PLC0415

        plan = replace(self.plan or GENERAL, seed=self.seed)
        return learn_general(exam, GeneralFaceTConfig(exam.faces.dimension), plan, folder, progress)

    def _build(self, config: dict[str, Any]) -> LinkModel:
        if self.preset == "paper":
            from personae.link.facet import FaceTConfig  # noqa: PLC0415  (needs torch)
            from personae.link.facet_model import FaceTModel  # noqa: PLC0415

            return FaceTModel(FaceTConfig(**config))
        from personae.link.facet_general import GeneralFaceTConfig, GeneralFaceTModel  # noqa: PLC0415

        return GeneralFaceTModel(GeneralFaceTConfig(**config))
