from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import correlate1d

from recorder.simulation.belt import belt
from tracker.colors import (
    BINS,
    BRIGHTNESS_SHARE,
    DARK,
    LIGHTS,
    ColorLikelihoods,
    blurred,
    color_features,
    density,
    initial_likelihoods,
    without_background,
)

SKIN, BLUE = np.array([205, 160, 135], np.uint8), np.array([20, 40, 200], np.uint8)


def image(color, size=(12, 16)):
    return np.tile(np.asarray(color, np.uint8), (*size, 1))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_a_lights_gain_shifts_the_features(seed):
    """Exactly but for the counts that are added for dark pixels."""
    rng = np.random.default_rng(seed)
    bright, gain = rng.uniform(1e5, 2e5, (50, 3)), rng.uniform(0.5, 2, 3)
    shift = color_features(bright * gain) - color_features(bright)
    log = np.log(gain)
    expected = [log[0] - log[1], log[2] - log[1], BRIGHTNESS_SHARE * log[1]]
    np.testing.assert_allclose(shift, np.tile(expected, (50, 1)), atol=2e-3)


def test_features_by_hand():
    red, green, blue = 90, 40, 10
    expected = np.log([(red + DARK) / (green + DARK), (blue + DARK) / (green + DARK), green + DARK])
    features = color_features(np.array([[red, green, blue]], np.uint8))
    np.testing.assert_allclose(features[0], expected * [1, 1, BRIGHTNESS_SHARE], rtol=1e-5)
    assert features.dtype == np.float32


def test_images_are_blurred_and_lists_of_colours_are_not():
    edge = image(BLUE)
    edge[:, 8:] = SKIN
    sharp, smooth = color_features(edge.reshape(-1, 3)).reshape(edge.shape), color_features(edge)
    assert not np.allclose(smooth[:, 7], sharp[:, 7])
    np.testing.assert_allclose(smooth[:, 0], sharp[:, 0], atol=1e-6)


@given(arrays(np.uint8, (7, 9, 3)))
def test_the_blur_is_a_binomial_with_the_image_mirrored_beyond_its_edges(color):
    weights = np.array([1, 4, 6, 4, 1]) / 16
    expected = correlate1d(correlate1d(color.astype(float), weights, 0), weights, 1)
    np.testing.assert_array_equal(blurred(color), 256 * expected)


@given(st.integers(0, 2**32 - 1), st.integers(0, 200))
@settings(max_examples=20)
def test_densities_sum_to_one_and_are_never_zero(seed, count):
    features = np.random.default_rng(seed).normal(size=(count, 3)) * 3
    result = density(features)
    assert result.shape == BINS
    assert result.sum() == pytest.approx(1)
    assert result.min() > 0


def test_a_density_is_highest_where_its_colours_are():
    features = color_features(BLUE[None])
    other = color_features(SKIN[None])
    blue, skin = density(features), density(other)
    two = ColorLikelihoods(blue, skin, np.full(BINS, 1 / np.prod(BINS)))
    on_object, on_hand = two.chances(np.concatenate([features, other]))
    assert on_object[0] > 0.8
    assert on_hand[1] > 0.8
    assert (on_object + on_hand <= 1 + 1e-6).all()


def test_at_first_skin_is_the_hands_and_the_meshs_colours_are_the_objects():
    scene = color_features(image([90, 120, 90]))
    start = initial_likelihoods(belt(), scene)
    button = np.array([[196, 32, 28]], np.uint8)
    on_object, on_hand = start.chances(color_features(np.concatenate([button, SKIN[None]])))
    assert on_object[0] > 0.6 > on_hand[0]
    assert on_hand[1] > 0.6 > on_object[1]
    assert max(chance[5, 5] for chance in start.chances(scene)) < 0.5


@pytest.mark.parametrize(("light", "factors"), [(1, (1.0, 0.93, 0.76)), (2, (0.76, 0.82, 1.0))])
def test_under_another_light_grey_is_as_the_light_is(light, factors):
    grey = replace(belt(), vertex_colors=np.full_like(belt().vertex_colors, 128))
    lit = np.rint(np.stack([(128, 128, 128), (205, 160, 135)]) * factors).astype(np.uint8)
    features, scene = color_features(lit), color_features(image((90, 120, 90)))
    np.testing.assert_allclose(features[0, :2], LIGHTS[light][:2], atol=0.04)
    on_object, on_hand = initial_likelihoods(grey, scene, LIGHTS[light]).chances(features)
    assert on_object[0] > 2 * on_hand[0]
    assert on_hand[1] > 2 * on_object[1]
    by_day = initial_likelihoods(grey, scene).chances(features)
    if light == 1:
        assert by_day[0][0] < 0.8 * on_object[0]


def test_a_mesh_without_colours_may_have_any():
    grey = initial_likelihoods(replace(belt(), colored=False), color_features(image(BLUE)))
    np.testing.assert_allclose(grey.object_density, 1 / np.prod(BINS))


def test_a_known_background_gives_up_its_colours():
    start = initial_likelihoods(belt(), color_features(image([90, 120, 90])))
    known = without_background(start)
    np.testing.assert_allclose(known.background_density, 1 / np.prod(BINS))
    assert known.object_density is start.object_density


def test_colours_are_learned_at_the_rate_given():
    features = color_features(image(BLUE)).reshape(-1, 3)
    start = initial_likelihoods(belt(), color_features(image(SKIN)))
    nothing = features[:0]
    learned = start.learned(features, nothing, nothing, 0.25)
    expected = 0.75 * start.object_density + 0.25 * density(features)
    np.testing.assert_allclose(learned.object_density, expected)
    assert learned.object_density.sum() == pytest.approx(1)
    np.testing.assert_array_equal(learned.hand_density, start.hand_density)
    np.testing.assert_array_equal(learned.background_density, start.background_density)
    hand = start.learned(nothing, features, nothing, 1.0)
    np.testing.assert_allclose(hand.hand_density, density(features))


def test_too_few_pixels_teach_nothing():
    start = initial_likelihoods(belt(), color_features(image(SKIN)))
    features = color_features(image(BLUE)).reshape(-1, 3)
    learned = start.learned(features[:10], features[10:], features[:10], 0.5)
    np.testing.assert_array_equal(learned.object_density, start.object_density)


@pytest.mark.parametrize(
    "tone", [(236, 203, 184), (205, 160, 135), (172, 122, 92), (128, 84, 60), (105, 66, 42), (66, 45, 35)]
)
def test_skin_from_light_to_dark_is_the_hands_colour(tone):
    likelihoods = without_background(initial_likelihoods(belt(), color_features(image((90, 120, 90)))))
    on_object, on_hand = likelihoods.chances(color_features(image(tone)))
    assert on_hand.mean() > 0.5
    assert on_hand.mean() > 1.5 * on_object.mean()


@pytest.mark.parametrize("other", [(40, 90, 160), (60, 140, 70), (230, 60, 40), (110, 125, 145)])
def test_what_no_skin_looks_like_is_not(other):
    likelihoods = without_background(initial_likelihoods(None, color_features(image((90, 120, 90)))))
    _, on_hand = likelihoods.chances(color_features(image(other)))
    assert on_hand.mean() < 0.5
