"""Precision, recall and F: what the pairwise, BCubed and identity metrics return."""

from dataclasses import dataclass


@dataclass(frozen=True, repr=False)
class Score:
    """How pure (precision), how complete (recall), and both in one (F, their harmonic mean), each in [0, 1].

    >>> Score.of(2 / 3, 0.75)
    Score(precision=0.667, recall=0.75, f=0.706)
    """

    precision: float
    recall: float
    f: float

    @classmethod
    def of(cls, precision: float, recall: float) -> "Score":
        """The score with F = 2 P R / (P + R), and 0 where both are 0."""
        total = precision + recall
        return cls(precision, recall, 2 * precision * recall / total if total else 0.0)

    def __repr__(self) -> str:
        precision, recall, f = (round(value, 3) for value in (self.precision, self.recall, self.f))
        return f"Score(precision={precision}, recall={recall}, f={f})"
