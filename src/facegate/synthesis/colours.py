"""Colours of people: skin from its pigments, hair, irises, black-body light, and the skin tone scale."""

import numpy as np
from numpy.typing import NDArray

from facegate.synthesis.geometry import Array

DERMIS = np.array([0.84, 0.66, 0.54], np.float32)
MELANIN = np.array([0.92, 1.20, 1.52], np.float32)
HAEMOGLOBIN = np.array([0.10, 0.58, 0.50], np.float32)
"""Reflectance without pigment, and absorption of each pigment, for linear RGB."""

HAIR = {
    "black": (0.013, 0.011, 0.010),
    "dark": (0.030, 0.019, 0.012),
    "brown": (0.075, 0.042, 0.022),
    "light": (0.16, 0.095, 0.048),
    "blond": (0.36, 0.235, 0.115),
    "red": (0.20, 0.065, 0.024),
    "grey": (0.29, 0.285, 0.28),
}
IRISES = np.array(
    [
        (0.055, 0.028, 0.012),
        (0.030, 0.017, 0.009),
        (0.095, 0.052, 0.020),
        (0.100, 0.095, 0.040),
        (0.085, 0.140, 0.190),
        (0.120, 0.150, 0.165),
        (0.060, 0.100, 0.060),
    ],
    np.float32,
)
"""Two browns and hazel first, then the light ones."""


def skin_colour(melanin: Array | float, haemoglobin: Array | float) -> Array:
    """Linear RGB reflectance of skin by Beer-Lambert absorption, (…, 3)."""
    melanin, haemoglobin = np.asarray(melanin, np.float32), np.asarray(haemoglobin, np.float32)
    return np.stack([pigment(melanin, haemoglobin, channel) for channel in range(3)], -1)


def pigment(melanin: Array, haemoglobin: Array, channel: int) -> Array:
    """The same in one channel."""
    return DERMIS[channel] * np.exp(-(MELANIN[channel] * melanin + HAEMOGLOBIN[channel] * haemoglobin))


def kelvin(temperature: float) -> Array:
    """Colour of a black body, linear RGB with its largest part near one; 1000 to 15000 K (Helland's fit)."""
    t = temperature / 100
    red = 1.0 if t <= 66 else 1.292936 * (t - 60) ** -0.1332
    green = 0.3900816 * np.log(t) - 0.6318414 if t <= 66 else 1.129891 * (t - 60) ** -0.0755
    blue = 1.0 if t >= 66 else (0.0 if t <= 19 else 0.5432068 * np.log(t - 10) - 1.196254)
    return (np.clip([red, green, blue], 0.02, 1) ** 2.2).astype(np.float32)


def typology_angle(reflectance: NDArray[np.floating]) -> float:
    """Individual typology angle in degrees of a linear RGB reflectance: above 55 very light, below −30 dark.

    ITA = atan((L* − 50) / b*) · 180 / π (Chardon et al. 1991), under D65.
    """
    xyz = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ reflectance
    )
    f = np.cbrt(np.maximum(xyz / (0.9505, 1.0, 1.089), 0.008856))
    return float(np.degrees(np.arctan2(116 * f[1] - 16 - 50, 200 * (f[1] - f[2]))))
