"""Faces as disBM would have them: one part of the code is the pose, the other the identity, and images show both."""

import numpy as np

from disent_runner.representations.representation import Autoencoder, Representation

FACTORS = np.stack(np.unravel_index(np.arange(4 * 5 * 3), (4, 5, 3)), axis=1)
"""identity, azimuth, elevation"""


def paint(codes: np.ndarray) -> np.ndarray:
    """m in the first row of pixels, h in the second."""
    images = np.zeros((len(codes), 1, 2, 15), np.float32)
    images[:, 0, 0] = codes[:, :15]
    images[:, 0, 1, :4] = codes[:, 15:]
    return images


def faces(*, m: np.ndarray | None = None, h: np.ndarray | None = None) -> Representation:
    """m one-hot of azimuth and elevation, h one-hot of the identity, unless given; images are those of the one-hots."""
    pose, identity = np.eye(15)[FACTORS[:, 1] * 3 + FACTORS[:, 2]], np.eye(4)[FACTORS[:, 0]]
    true = np.hstack([pose, identity])
    return Representation(
        np.hstack([pose if m is None else m, identity if h is None else h]),
        FACTORS,
        (4, 5, 3),
        factor_names=("identity", "azimuth", "elevation"),
        autoencoder=Autoencoder(
            images=lambda rows: paint(true[rows]),
            decode=paint,
            jacobian=paint,
            prior=lambda count, rng: rng.random((count, 19)),
        ),
        parts={"m": 15, "h": 4},
    )
