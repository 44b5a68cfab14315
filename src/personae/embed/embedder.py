"""From aligned crops to unit features: SFace, or any model of the ArcFace family by its ONNX file.

Zhong, Deng, Hu, Zhao, Li, Wen, "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition",
IEEE Transactions on Image Processing 2021.
"""

from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from personae.embed.align import SIDE
from personae.embed.session import WEIGHTS, open_session
from personae.errors import InputError


@dataclass(frozen=True)
class Preprocessing:
    """What a model expects of a crop: (value - mean) * scale of values 0..255, channels in `color` order."""

    mean: float = 127.5
    scale: float = 1 / 127.5
    color: Literal["rgb", "bgr"] = "rgb"


@dataclass(frozen=True)
class Embedder:
    """A face model; made by `Embedder.load` or `sface`.

    name:        for messages
    dimension:   d, the length of a feature
    fingerprint: changes with anything that could change a feature
    """

    name: str
    dimension: int
    fingerprint: bytes
    preprocessing: Preprocessing
    session: Any = field(repr=False, compare=False)

    @classmethod
    def load(cls, path: Path, preprocessing: Preprocessing = Preprocessing()) -> "Embedder":  # frozen
        """The model in an ONNX file: float32 crops (N, 3, 112, 112) in, features (N, d) out.

        InputError: not there, not ONNX, or with another input or output; the message says which.
        """
        path = Path(path)
        try:
            model = path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot read the model {path}: {error.strerror}") from error
        return cls.of(model, path.name, preprocessing)

    @classmethod
    def of(cls, model: bytes, name: str, preprocessing: Preprocessing) -> "Embedder":
        """The same from the content of the file."""
        try:
            session = open_session(model)
        except Exception as error:  # ONNX Runtime has no class of its own for it
            raise InputError(f"{name} is not a model that ONNX Runtime can load; give an .onnx file") from error
        refuse_other_shapes(session, name)
        fingerprint = blake2b(model + repr(preprocessing).encode(), digest_size=16).digest()
        probe = cls(name, 0, fingerprint, preprocessing, session)
        try:
            feature = probe.run(np.full((SIDE, SIDE, 3), 127, np.uint8))
        except Exception as error:  # the same
            raise InputError(f"{name} does not take one crop of shape (1, 3, {SIDE}, {SIDE})") from error
        if feature.ndim != 2 or feature.shape[0] != 1 or feature.shape[1] < 2:
            raise InputError(
                f"{name} gives an output of shape {feature.shape} for a face; it needs to be (1, d)"
            )
        return cls(name, int(feature.shape[1]), fingerprint, preprocessing, session)

    def embed(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(d,) float32, the unit feature of a face.

        crop: (112, 112, 3) uint8, RGB

        One crop a call, so that no feature depends on which faces were embedded beside it; a batch would not
        be faster. InputError: the model gives NaN, infinity or nothing but zeros.
        """
        feature = self.run(crop)[0].astype(np.float64)
        norm = np.linalg.norm(feature)
        if not np.isfinite(norm) or norm == 0:
            raise InputError(f"{self.name} gives no finite feature for a face; check its mean and scale")
        unit: NDArray[np.float32] = (feature / norm).astype(np.float32)
        return unit

    def run(self, crop: NDArray[np.uint8]) -> NDArray[np.floating[Any]]:
        """(1, d), what the model says, whatever that is."""
        (source,) = self.session.get_inputs()
        outputs: list[NDArray[np.floating[Any]]] = self.session.run(None, {source.name: self.inputs(crop)})
        return outputs[0]

    def inputs(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(1, 3, 112, 112) float32, what the model sees of a crop."""
        ordered = crop if self.preprocessing.color == "rgb" else crop[..., ::-1]
        values = ordered.transpose(2, 0, 1)[None].astype(np.float32, order="C")
        if self.preprocessing.mean:
            values -= np.float32(self.preprocessing.mean)
        if self.preprocessing.scale != 1:
            values *= np.float32(self.preprocessing.scale)
        return values


@cache
def sface() -> Embedder:
    """The shipped embedder, d = 128, loaded once. It scales the values 0..255 itself."""
    model = (WEIGHTS / "sface.onnx").read_bytes()
    return Embedder.of(model, "SFace", Preprocessing(mean=0, scale=1, color="rgb"))


def refuse_other_shapes(session: Any, name: str) -> None:
    """InputError unless there is one input (N, 3, 112, 112) of float32 and one output (N, d)."""
    sources, outputs = session.get_inputs(), session.get_outputs()
    wanted = f"a face embedder takes one float32 input of shape (N, 3, {SIDE}, {SIDE}) and gives (N, d)"
    if len(sources) != 1 or len(outputs) != 1:
        raise InputError(f"{name} has {len(sources)} inputs and {len(outputs)} outputs; {wanted}")
    shape = sources[0].shape
    fits = len(shape) == 4 and all(
        size == need or not isinstance(size, int) or size < 1
        for size, need in zip(shape, (1, 3, SIDE, SIDE), strict=True)
    )
    if not fits or sources[0].type != "tensor(float)":
        raise InputError(f"{name} takes {sources[0].type} of shape {tuple(shape)}; {wanted}")
