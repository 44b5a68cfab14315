"""Trained link models in files: safetensors, with a header that says what they are and of which embedder."""

import json
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from personae.data.atomic import atomic_write
from personae.errors import InputError, MissingExtraError
from personae.link.geometry import Geometry

FORMAT = 2


@dataclass(frozen=True)
class Saved:
    """A link model as a file holds it.

    method:     name in `LEARNED`
    settings:   the estimator's parameters
    config:     what builds the network
    decision:   how its links become people
    geometry:   of the features it was trained on
    trained:    faces, identities and validation score of its training
    """

    method: str
    settings: dict[str, Any]
    config: dict[str, Any]
    decision: dict[str, Any]
    geometry: Geometry
    trained: dict[str, Any]


def need_torch() -> None:
    """MissingExtraError: torch or safetensors is not installed."""
    for package in ("torch", "safetensors"):
        if find_spec(package) is None:
            raise MissingExtraError(
                f"learned link models need {package}, which is not installed; "
                "run: pip install 'personae[learn]'"
            )


def write_weights(saved: Saved, module: Any, path: Path) -> None:
    """One safetensors file, whole or not at all. OutputError: it cannot be written."""
    from safetensors.torch import save  # noqa: PLC0415  (an extra)

    tensors = {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
    header = json.dumps({"format": FORMAT, **asdict(saved)}, sort_keys=True, default=plain)
    data = save(tensors, metadata={"personae": header})  # one key, as several come in any order
    with atomic_write(Path(path)) as temporary:
        temporary.write_bytes(data)


def plain(value: Any) -> Any:
    """A number of NumPy as JSON can write it. TypeError: anything else."""
    return np.generic.item(value)


def read_weights(path: Path) -> tuple[Saved, dict[str, Any]]:
    """What `write_weights` wrote: the header, and the tensors by name, float32.

    InputError: no such file, truncated, of another program or of another format.
    """
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415  (an extra)

    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; give a model that was trained and saved")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} holds no trained model, or is damaged; give another file") from error
    if "personae" not in header:
        raise InputError(f"{path} holds weights of another program; give a model that personae trained")
    try:
        fields = json.loads(header["personae"])
        if fields.pop("format") != FORMAT:
            raise InputError(f"{path} was written by another version; train again and save")
        about = fields["geometry"]
        geometry = Geometry(**{**about, "common": tuple(about["common"])})
        saved = Saved(**{**fields, "geometry": geometry})
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} has a damaged header; train again and save") from error
    floats = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    return saved, floats


def fill(module: Any, tensors: dict[str, Any], path: Path) -> None:
    """Puts the tensors into the module. InputError: names or shapes that are not the module's."""
    try:
        module.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} does not fit its own description: {reason}; train again and save") from error
