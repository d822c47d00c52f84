import cv2
import numpy as np
import pytest

from facegate.synthesis.colours import kelvin, skin_colour, typology_angle


def test_more_melanin_is_darker_and_lowers_the_typology_angle():
    densities = np.linspace(0.03, 1.9, 12)
    tones = skin_colour(densities, 0.42)
    assert (np.diff(tones, axis=0) < 0).all()
    angles = [typology_angle(tone) for tone in tones]
    assert np.all(np.diff(angles) < 0)
    assert angles[0] > 55  # very light
    assert angles[-1] < -30  # dark


def test_typology_angle_agrees_with_opencv():
    for srgb in ((198, 145, 120), (240, 205, 190), (90, 60, 50)):
        gamma = np.array(srgb, np.float32) / 255
        lightness, _, yellow = cv2.cvtColor(gamma.reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0]
        linear = ((gamma + 0.055) / 1.055) ** 2.4
        expected = np.degrees(np.arctan2(lightness - 50, yellow))
        assert typology_angle(linear) == pytest.approx(expected, abs=0.5)


def test_blood_reddens():
    pale, flushed = skin_colour(0.2, 0.2), skin_colour(0.2, 0.7)
    assert flushed[0] / flushed[1] > pale[0] / pale[1]


def test_warm_light_is_red_and_cold_light_is_blue():
    assert kelvin(2800)[2] < 0.5 * kelvin(2800)[0]
    assert kelvin(10000)[0] < kelvin(10000)[2]
    assert np.ptp(kelvin(6600)) < 0.05
