"""One camera for every picture, of a live person or of an attack.

Everything rendered passes through it: lens and motion blur, veiling glare, shot and read noise on a Bayer
mosaic at twice the picture's resolution, demosaicing, downsampling, white balance, automatic exposure,
contrast and saturation, sharpening, a lower streaming resolution, and one or two JPEG compressions. Traces of
a medium that are finer than the mosaic alias in it, as they do in a real sensor; moiré is nowhere painted.
"""

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.recapture.devices import Camera, sample_camera, sample_portrait_camera
from facegate.recapture.imaging import LUMA, Bytes, Floats, blur, channel_means, jpeg, resize, spread, to_srgb

__all__ = ["SENSOR_SCALE", "Camera", "capture", "sample_camera", "sample_portrait_camera"]

SENSOR_SCALE = 2
"""Mosaic cells per picture pixel, along each axis."""

_FULL_WELL = 32768.0
"""Sensor count of a linear value of 1; values up to 2 fit into 16 bits before they clip."""

_PEDESTAL = 512.0
"""Count of a dark cell, so that noise below black is not cut off."""


def capture(scene: Floats, camera: Camera, rng: np.random.Generator, size: int | tuple[int, int]) -> Bytes:
    """Take a picture.

    Args:
        scene: linear RGB radiance (H, W, 3), about 0 to 1 with highlights above; best at twice the picture's
            resolution, anything else is resampled. Only relative values matter: exposure is automatic.
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
    linear -= np.float32(_PEDESTAL)
    np.maximum(linear, 0, out=linear)
    linear /= np.float32(_FULL_WELL)
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
    raw = light[..., 1] * np.float32(gain[1])
    raw += np.float32(gain[1] * camera.veil * mean[1])
    for channel, start in ((0, 0), (2, 1)):
        cells = light[start::2, start::2, channel] * np.float32(gain[channel])
        raw[start::2, start::2] = cells + np.float32(gain[channel] * camera.veil * mean[channel])
    raw *= _vignette(raw.shape, camera.vignette)
    noise = np.maximum(raw, 0)
    noise *= np.float32(camera.shot_noise)
    noise += np.float32(camera.read_noise**2)
    np.sqrt(noise, out=noise)
    noise *= np.float32(2)
    noise *= _noise(rng, raw.shape)
    raw += noise
    raw *= np.float32(_FULL_WELL)
    raw += np.float32(_PEDESTAL)
    return np.clip(raw, 0, 65535, out=raw).astype(np.uint16)


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Nearly normal noise of unit variance: sums of four random bytes, ten times as fast as exact."""
    count = int(np.prod(shape))
    dice = np.frombuffer(rng.bytes(4 * count), np.uint8).reshape(4, *shape)
    pairs = [np.add(dice[k], dice[k + 1], dtype=np.uint16) for k in (0, 2)]
    total = np.add(*pairs).astype(np.float32)
    total -= np.float32(510)
    total *= np.float32((4 * (256**2 - 1) / 12) ** -0.5)
    return total


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


def _vignette(shape: tuple[int, ...], strength: float) -> Floats:
    return np.asarray(1 - np.float32(strength / 2) * _off_axis(shape), np.float32)


@functools.lru_cache(maxsize=8)
def _off_axis(shape: tuple[int, ...]) -> Floats:
    """Squared distance from the middle (H, W), 1 at the middle of each edge."""
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)
    return np.asarray(x * x + y * y, np.float32)


def _demosaic(raw: NDArray[np.uint16], edge_aware: bool) -> NDArray[np.uint16]:
    code = cv2.COLOR_BayerRGGB2RGB_EA if edge_aware else cv2.COLOR_BayerRGGB2RGB
    return np.asarray(cv2.cvtColor(raw, code), np.uint16)


def _finish(linear: Floats, camera: Camera) -> Floats:
    """Tone curve, automatic contrast and saturation, sharpening; sRGB values, not yet clipped."""
    bent = linear * np.float32(1 + camera.shoulder / 2)
    bent /= 1 + np.float32(camera.shoulder) * linear
    picture = to_srgb(bent)
    height, width = picture.shape[:2]
    centre = (slice(height // 6, height * 5 // 6), slice(width // 6, width * 5 // 6))
    luma = picture[centre] @ LUMA
    mean = np.float32(luma.mean())
    _stretch(picture, mean, _pull(camera.contrast, float(luma.std()), camera.auto))
    chroma = _chroma(picture[centre])
    _stretch(picture, spread(picture @ LUMA), _pull(camera.saturation, float(chroma.mean()), camera.auto))
    if camera.sharpen > 0:
        detail = picture - blur(picture, 1.0)
        detail *= np.float32(camera.sharpen)
        picture += detail
    return picture


def _stretch(picture: Floats, centre: Floats | np.float32, gain: np.float32) -> None:
    """Multiply distances from a centre, in place."""
    picture -= centre
    picture *= gain
    picture += centre


def _chroma(picture: Floats) -> Floats:
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    largest = np.maximum(np.maximum(red, green), blue)
    return largest - np.minimum(np.minimum(red, green), blue)


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
