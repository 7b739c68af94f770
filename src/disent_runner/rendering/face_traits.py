"""What sets one toy face apart from another: proportions, tones and hair."""

from typing import NamedTuple

import numpy as np


class FaceTraits(NamedTuple):
    """Lengths are in half heights of the head, tones are reflectances from 0 to 1."""

    head_width: float
    jaw_taper: float
    chin: float
    eye_distance: float
    eye_opening: float
    nose_length: float
    nose_width: float
    nose_height: float
    brow_ridge: float
    brow_thickness: float
    mouth_width: float
    lip_fullness: float
    cheekbones: float
    ear_size: float
    hairline: float
    hair_length: float
    hair_thickness: float
    skin_tone: float
    hair_tone: float
    beard: float


LOWEST = FaceTraits(
    head_width=0.64,
    jaw_taper=0.0,
    chin=0.02,
    eye_distance=0.25,
    eye_opening=0.055,
    nose_length=0.38,
    nose_width=0.13,
    nose_height=0.17,
    brow_ridge=0.01,
    brow_thickness=0.025,
    mouth_width=0.19,
    lip_fullness=0.04,
    cheekbones=0.0,
    ear_size=0.8,
    hairline=0.42,
    hair_length=-0.9,
    hair_thickness=0.03,
    skin_tone=0.45,
    hair_tone=0.05,
    beard=-1.0,
)
HIGHEST = FaceTraits(
    head_width=0.80,
    jaw_taper=0.3,
    chin=0.13,
    eye_distance=0.33,
    eye_opening=0.085,
    nose_length=0.54,
    nose_width=0.21,
    nose_height=0.31,
    brow_ridge=0.08,
    brow_thickness=0.065,
    mouth_width=0.31,
    lip_fullness=0.09,
    cheekbones=0.08,
    ear_size=1.3,
    hairline=0.72,
    hair_length=1.0,
    hair_thickness=0.17,
    skin_tone=0.9,
    hair_tone=0.6,
    beard=0.7,
)
# Steps by square roots of primes fill the box of all traits evenly: no two of the identities are close to each other.
STEPS = np.sqrt([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71])


def face_traits(identity: int) -> FaceTraits:
    share = (identity + 1) * STEPS % 1
    return FaceTraits(*(np.array(LOWEST) + share * (np.array(HIGHEST) - np.array(LOWEST))).tolist())
