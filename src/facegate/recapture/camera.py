"""One camera for every picture, of a live person or of an attack.

Everything rendered passes through it: lens and motion blur, veiling glare, shot and read noise on a Bayer
mosaic at twice the picture's resolution, demosaicing, downsampling, white balance, automatic exposure,
contrast and saturation, sharpening, a lower streaming resolution, and one or two JPEG compressions. Traces of
a medium that are finer than the mosaic alias in it, as they do in a real sensor; moiré is nowhere painted.
"""

import math

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from facegate.recapture.devices import Camera, sample_camera, sample_portrait_camera
from facegate.recapture.imaging import (
    LUMA,
    Bytes,
    Floats,
    blur,
    channel_means,
    jpeg,
    luminance,
    resize,
    spread,
    to_srgb,
)

__all__ = ["SENSOR_SCALE", "Camera", "capture", "sample_camera", "sample_portrait_camera"]

SENSOR_SCALE = 2
"""Mosaic cells per picture pixel, along each axis."""

FULL_WELL = np.float32(32768)
"""Sensor count of a linear value of 1; values up to 2 fit into 16 bits before they clip."""

PEDESTAL = np.float32(512)
"""Count of a dark cell, so that noise below black is not cut off."""

NOISE_STEP = np.float32(2 * (4 * (256**2 - 1) / 12) ** -0.5)
"""Noise of twice unit variance per eye of four dice of 256 sides."""


def capture(scene: Floats, camera: Camera, rng: np.random.Generator, size: int | tuple[int, int]) -> Bytes:
    """Take a picture.

    Args:
        scene: linear RGB radiance (H, W, 3), about 0 to 1 with highlights above; best at one and a half times
            the picture's resolution or more, and resampled to the sensor's. Only relative values matter:
            exposure is automatic.
        camera: the camera and its settings.
        rng: source of the noise.
        size: side of the picture, or (height, width).

    Returns:
        RGB (height, width, 3), 0 to 255, after the last JPEG decoding.
    """
    height, width = (size, size) if isinstance(size, int) else size
    light = _lens(resize(scene, SENSOR_SCALE * height, SENSOR_SCALE * width), camera)
    raw = _expose(light, camera, rng)
    linear = resize(_demosaic(raw, camera.edge_aware), height, width)
    linear -= PEDESTAL
    np.maximum(linear, 0, out=linear)
    linear *= 1 / FULL_WELL
    return _transmit(_finish(linear, camera), camera)


def _lens(light: Floats, camera: Camera) -> Floats:
    light = blur(light, camera.blur * SENSOR_SCALE)
    if camera.motion > 0:
        kernel = _motion_kernel(camera.motion * SENSOR_SCALE, camera.motion_angle)
        light = np.asarray(cv2.filter2D(light, -1, kernel), np.float32)
    return light


def _motion_kernel(length: float, angle: float) -> Floats:
    half = int(np.ceil(length / 2)) + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    inside = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return (inside / inside.sum()).astype(np.float32)


def _expose(light: Floats, camera: Camera, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Counts of an RGGB sensor: one colour a cell, with veil, vignette, gain and noise."""
    mean = channel_means(light)
    gain = _exposure_gain(light, camera) * _balance(mean, camera)
    height, width = light.shape[:2]
    dice = np.frombuffer(rng.bytes(4 * height * width), np.uint8).reshape(4, height, width)
    raw = np.empty((height, width), np.uint16)
    _count(
        light, gain.astype(np.float32), (gain * camera.veil * mean).astype(np.float32),
        np.float32(camera.vignette / 2), np.float32(camera.shot_noise), np.float32(camera.read_noise**2),
        dice, raw,
    )  # fmt: skip
    return raw


@njit(nogil=True, cache=True, fastmath=True)
def _count(light, gain, veil, vignette, shot, dark, dice, raw):
    """Count the light of every cell.

    Nearly normal noise is made of sums of four random bytes, ten times as fast as exact.

    Args:
        light: (H, W, 3) linear RGB.
        gain: (3,) factor of each channel.
        veil: (3,) stray light in each channel, counted likewise.
        vignette: loss of light in the middle of each edge, 0 to 1.
        shot: variance of the noise per unit of signal.
        dark: variance without any.
        dice: (4, H, W) random bytes.
        raw: (H, W) counts to write.
    """
    height, width = raw.shape
    one, zero, most = np.float32(1), np.float32(0), np.float32(65535)
    down, across = np.float32(2 / (height - 1)), np.float32(2 / (width - 1))
    seen = np.empty(width, np.float32)
    for i in range(height):
        for first in range(2):
            k = (i & 1) + first
            for j in range(first, width, 2):
                seen[j] = light[i, j, k] * gain[k] + veil[k]
        y = np.float32(i) * down - one
        for j in range(width):  # a loop of its own, over neighbours: the compiler takes many at once
            x = np.float32(j) * across - one
            signal = seen[j] * (one - vignette * (x * x + y * y))
            eyes = np.int32(dice[0, i, j]) + np.int32(dice[1, i, j])
            eyes += np.int32(dice[2, i, j]) + np.int32(dice[3, i, j]) - np.int32(510)
            spread = math.sqrt(max(signal, zero) * shot + dark) * NOISE_STEP
            count = (signal + spread * np.float32(eyes)) * FULL_WELL + PEDESTAL
            raw[i, j] = np.int32(min(max(count, zero), most))


def _exposure_gain(light: Floats, camera: Camera) -> float:
    """Centre-weighted metering: halfway between the geometric and the arithmetic mean."""
    height, width = light.shape[:2]
    centre = light[height // 5 : height * 4 // 5, width // 5 : width * 4 // 5]
    luma = np.maximum(resize(centre, 48, 48) @ LUMA, 1e-4)
    return camera.exposure / float(0.5 * np.exp(np.log(luma).mean()) + 0.5 * luma.mean())


def _balance(mean: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Gain per channel towards a grey world, of unit luminance."""
    mean = np.maximum(mean, 1e-4)
    gain = (mean.mean() / mean) ** camera.white_balance * np.array(camera.cast)
    return gain / (gain @ LUMA)


def _demosaic(raw: NDArray[np.uint16], edge_aware: bool) -> NDArray[np.uint16]:
    code = cv2.COLOR_BayerRGGB2RGB_EA if edge_aware else cv2.COLOR_BayerRGGB2RGB
    return np.asarray(cv2.cvtColor(raw, code), np.uint16)


def _finish(linear: Floats, camera: Camera) -> Floats:
    """Tone curve, automatic contrast and saturation, sharpening; sRGB values, not yet clipped."""
    bent = linear * np.float32(1 + camera.shoulder / 2)
    linear *= np.float32(camera.shoulder)
    linear += 1
    bent /= linear
    picture = to_srgb(bent)
    height, width = picture.shape[:2]
    centre = (slice(height // 6, height * 5 // 6), slice(width // 6, width * 5 // 6))
    luma = luminance(picture)
    mean, deviation = (float(value.item()) for value in cv2.meanStdDev(luma[centre]))
    contrast = _pull(camera.contrast, deviation, camera.auto)
    chroma = contrast * np.float32(_chroma(picture[centre]).mean())
    gain = contrast * _pull(camera.saturation, float(chroma), camera.auto)
    luma *= contrast - gain
    luma += np.float32(mean) * (1 - contrast)
    picture *= gain
    picture += spread(luma)  # distances from grey by `gain`, those of grey from the mean by `contrast`
    if camera.sharpen > 0:
        picture = np.asarray(
            cv2.addWeighted(picture, 1 + camera.sharpen, blur(picture, 1.0), -camera.sharpen, 0), np.float32
        )
    return picture


def _chroma(picture: Floats) -> Floats:
    red, green, blue = cv2.split(picture)
    largest, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return np.asarray(largest - least, np.float32)


def _pull(aim: float, value: float, strength: float) -> np.float32:
    """Gain that moves a statistic towards its aim, within what a picture bears."""
    return np.float32(np.clip((aim / max(value, 1e-3)) ** strength, 0.45, 2.2))


def _transmit(picture: Floats, camera: Camera) -> Bytes:
    levels = np.clip(picture, 0, 1)
    levels *= np.float32(255)
    levels += np.float32(0.5)
    result = levels.astype(np.uint8)
    if camera.stream < 1:
        height, width = result.shape[:2]
        small = resize(result, round(height * camera.stream), round(width * camera.stream))
        result = (np.clip(resize(small, height, width), 0, 255) + 0.5).astype(np.uint8)
    for quality in camera.jpeg:
        result = jpeg(result, quality, full_chroma=camera.chroma_full)
    return result
