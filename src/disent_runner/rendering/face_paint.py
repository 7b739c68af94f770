"""The reflectances of a toy face: skin, hair, brows, eyes and lips, by the place on the undisplaced head."""

import numpy as np

from disent_runner.rendering.face_shapes import bump, rise
from disent_runner.rendering.face_traits import FaceTraits


def mouth_height(traits: FaceTraits) -> float:
    return -0.28 - 0.66 * traits.nose_length


def above_hairline(x: np.ndarray, y: np.ndarray, z: np.ndarray, traits: FaceTraits) -> np.ndarray:
    """How much higher than the edge of the hair: the nape behind the ears, the sideburns, the hairline in front."""
    nape = -0.45 - 0.6 * max(0.0, traits.hair_length)
    sideburn = -0.05 - 0.55 * max(0.0, traits.hair_length)
    border = nape + (sideburn - nape) * rise(z, -0.35, 0.05)
    front = traits.hairline - 2.2 * x * x * x * x
    return y - border - (front - border) * rise(z, 0.08, 0.48)


def paint(x: np.ndarray, y: np.ndarray, z: np.ndarray, traits: FaceTraits, *, hair: np.ndarray) -> np.ndarray:
    face = rise(z, 0.2, 0.35)
    tone = traits.skin_tone * (1 - 0.15 * bump(x - traits.eye_distance, y, 0.26, 0.2) * face)
    tone = _painted(tone, 0.8 * traits.hair_tone, max(0.0, traits.beard) * _beard(x, y, z, traits))
    tone = _painted(tone, 0.68 * traits.skin_tone, face * _lips(x, y, traits))
    tone = _painted(tone, 0.28 * traits.skin_tone, face * _dark_lines(x, y, traits))
    tone = _painted(tone, min(0.7 * traits.hair_tone, 0.4 * traits.skin_tone), face * _brows(x, y, traits))
    tone = _eyes(tone, x, y, face, traits)
    return _painted(tone, traits.hair_tone, hair)


def _painted(tone: np.ndarray, colour: float, cover: np.ndarray) -> np.ndarray:
    return tone + (colour - tone) * cover


def _beard(x: np.ndarray, y: np.ndarray, z: np.ndarray, traits: FaceTraits) -> np.ndarray:
    mouth = mouth_height(traits)
    return rise(-y - 0.5 * x * x, 0.38, 0.55) * rise(z, 0.0, 0.25) * (1 - bump(x, y - mouth, 0.3, 0.14))


def _lips(x: np.ndarray, y: np.ndarray, traits: FaceTraits) -> np.ndarray:
    mouth = mouth_height(traits) + 0.3 * x * x
    corner = np.maximum(0, 1 - (x / traits.mouth_width) ** 2)
    upper = 1.2 * traits.lip_fullness * corner
    lower = 1.6 * traits.lip_fullness * corner
    return rise(upper - (y - mouth), -0.02, 0.02) * rise(lower + (y - mouth), -0.02, 0.02) * rise(corner, 0.0, 0.15)


def _dark_lines(x: np.ndarray, y: np.ndarray, traits: FaceTraits) -> np.ndarray:
    """Between the lips, and the nostrils."""
    mouth = mouth_height(traits) + 0.3 * x * x
    tip = 0.14 - traits.nose_length
    between = bump(x, y - mouth, 1.1 * traits.mouth_width, 0.032)
    return np.maximum(between, 0.8 * bump(x - 0.4 * traits.nose_width, y - tip + 0.09, 0.055, 0.04))


def _brows(x: np.ndarray, y: np.ndarray, traits: FaceTraits) -> np.ndarray:
    along = (x - traits.eye_distance - 0.01) / 0.2
    height = 0.21 - 0.06 * along * along
    thick = traits.brow_thickness
    return rise(thick - np.abs(y - height), -0.02, 0.02) * rise(1 - np.abs(along), -0.05, 0.15)


def _eyes(tone: np.ndarray, x: np.ndarray, y: np.ndarray, face: np.ndarray, traits: FaceTraits) -> np.ndarray:
    aside = x - traits.eye_distance
    lid = 1 - (aside / 0.16) ** 2
    opening = traits.eye_opening * lid
    inside = rise(opening - np.abs(y), -0.012, 0.012) * face
    lash = face * rise(lid, -0.3, 0.1) * bump(0 * y, y - 1.05 * opening, 1.0, 0.03)
    tone = _painted(tone, 0.95, inside)
    tone = _painted(tone, 0.12, inside * rise(0.068 - np.sqrt(aside * aside + y * y), -0.012, 0.012))
    return _painted(tone, 0.1, 0.85 * lash)
