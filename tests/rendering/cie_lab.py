"""sRGB (IEC 61966-2-1) to CIE Lab under D65."""

import numpy as np

XYZ_FROM_RGB = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def to_lab(colours: np.ndarray) -> np.ndarray:
    """Colours of 0 to 255 on the last axis."""
    share = colours / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    relative = linear @ XYZ_FROM_RGB.T / XYZ_FROM_RGB.sum(axis=1)
    x, y, z = np.moveaxis(np.where(relative > 216 / 24389, np.cbrt(relative), relative * 841 / 108 + 4 / 29), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
