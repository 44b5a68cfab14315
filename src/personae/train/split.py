"""Training and validation by identity: no person is on both sides."""

import numpy as np
from numpy.typing import NDArray

from personae.errors import InputError


def held_out(truth: NDArray[np.int32], share: float, seed: int) -> NDArray[np.bool_]:
    """(N,) bool, the faces of `share` of the identities, drawn at random; at least one on each side.

    InputError: fewer than two identities, or none with two faces.
    """
    sizes = np.bincount(truth)
    several = np.flatnonzero(sizes > 1)
    identities = np.flatnonzero(sizes)
    if len(identities) < 2:
        raise InputError("there is one identity only; a link model learns from the differences between many")
    if len(several) < 2:
        raise InputError(
            f"{len(several)} of {len(identities):,} identities have two faces or more; "
            "a link model needs several that have"
        )
    rng = np.random.default_rng([seed, len(identities)])
    drawn = rng.permutation(len(identities))
    count = min(max(1, round(share * len(identities))), len(identities) - 1)
    chosen = np.zeros(len(sizes), bool)
    chosen[identities[drawn[:count]]] = True
    if not chosen[several].any():
        chosen[several[0]] = True
    if chosen[several].all():
        chosen[several[0]] = False
    return np.asarray(chosen[truth])
