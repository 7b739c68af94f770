from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.grid import tile
from disent_runner.figures.inputs import Animation
from disent_runner.figures.traversals import traversals, traverse

SETTINGS = {"limit": 3.0, "num_steps": 5, "num_latents": 32, "num_images": 2, "frames_per_second": 8}


def test_one_latent_moves_at_a_time_the_most_informative_first(inputs):
    order, values = np.array([1, 2, 0]), np.linspace(-3, 3, 5)
    images = traverse(inputs, start=np.array([0.0, 1.0, 2.0]), order=order, values=values)
    painted = images.reshape(3, 5, 4)[..., :3] * 8 - 4
    expected = np.tile([0.0, 1.0, 2.0], (3, 5, 1))
    for row, latent in enumerate(order):
        expected[row, :, latent] = values
    np.testing.assert_allclose(painted, expected)


def test_prior_and_images_each_give_a_picture_and_an_animation(inputs, rng):
    pictures = traversals(inputs, rng=rng, **SETTINGS)
    assert list(pictures) == [
        f"traversals_{start}{kind}" for start in ("prior", "image_0", "image_1") for kind in ("", "_animated")
    ]
    prior = pictures["traversals_prior"]
    assert isinstance(prior, Figure)
    labels = [label.get_text() for label in prior.axes[0].get_yticklabels()]
    assert [label.split()[0] for label in labels] == ["z1", "z2", "z0"]
    assert labels[2].endswith("0.00 nats")


def test_the_animation_goes_there_and_back(inputs, rng):
    animation = traversals(inputs, rng=rng, **SETTINGS)["traversals_prior_animated"]
    assert isinstance(animation, Animation)
    assert len(animation.frames) == 2 * 5 - 2
    np.testing.assert_array_equal(animation.frames[1], animation.frames[-1])
    assert not np.array_equal(animation.frames[0], animation.frames[4])


def test_point_codes_move_over_what_images_have(inputs, rng):
    rep = replace(inputs.representation, logvar=None)
    pictures = traversals(replace(inputs, representation=rep), rng=rng, **{**SETTINGS, "num_latents": 2})
    prior = pictures["traversals_prior"]
    assert isinstance(prior, Figure)
    assert [label.get_text() for label in prior.axes[0].get_yticklabels()] == ["z1", "z2"]  # by their variance
    assert [label.get_text() for label in prior.axes[0].get_xticklabels()] == ["1%", "26%", "50%", "74%", "99%"]
    low, high = np.quantile(rep.codes[:, 1], [0.01, 0.99])
    values = np.array([[low, high], [0.0, 1.0]])
    images = traverse(inputs, start=np.zeros(3), order=np.array([1, 2]), values=values)
    np.testing.assert_allclose(images.reshape(2, 2, 4)[0, :, 1] * 8 - 4, [low, high])


def test_the_title_says_what_is_left_as_it_was(inputs, rng):
    points = replace(inputs, representation=replace(inputs.representation, logvar=None))
    for given, expected in (
        (inputs, ("prior's mean", "image's posterior mean")),
        (points, ("all codes", "image's code")),
    ):
        pictures = traversals(given, rng=rng, **SETTINGS)
        for name, words in zip(("traversals_prior", "traversals_image_0"), expected, strict=True):
            assert isinstance(picture := pictures[name], Figure)
            assert picture.axes[0].get_xlabel().endswith(words)


def test_without_a_limit_latents_move_over_what_images_have_and_the_prior_stays_where_it_is(inputs, rng):
    pictures = traversals(inputs, rng=rng, **{**SETTINGS, "limit": None})
    prior = pictures["traversals_prior"]
    assert isinstance(prior, Figure)
    assert [label.get_text() for label in prior.axes[0].get_xticklabels()] == ["1%", "26%", "50%", "74%", "99%"]
    assert [label.get_text().split()[0] for label in prior.axes[0].get_yticklabels()] == ["z1", "z2", "z0"]  # by KL
    order = np.array([1, 2, 0])
    values = np.quantile(inputs.representation.codes[:, order], np.linspace(0.01, 0.99, 5), axis=0).T
    images = traverse(inputs, start=np.zeros(3), order=order, values=values)
    np.testing.assert_array_equal(np.asarray(prior.axes[0].get_images()[0].get_array()), tile(images))
