import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from disent_runner.assembly import build
from disent_runner.figures.inputs import Animation
from disent_runner.representations.encoding import encode_once
from disent_runner.representations.requirements import NotApplicable
from disent_runner.stages.draw import draw, encoded


def test_an_animation_is_a_gif_that_repeats_with_all_frames():
    frames = [np.full((8, 8, 3), value, np.uint8) for value in (0, 100, 200)]
    ending, content = encoded(Animation(frames, frames_per_second=5))
    gif = Image.open(io.BytesIO(content))
    assert ending == ".gif"
    assert gif.n_frames == 3  # pyright: ignore
    assert gif.info["loop"] == 0
    assert gif.info["duration"] == 200


def test_every_figure_is_drawn_once(composed, tmp_path):
    config = composed("model=betavae")
    data = build.build_data(config).dataset
    model = build.build_model(config, data.info)
    drawn = []

    def encode():
        return encode_once(model, data, folder=tmp_path, indices=np.arange(200), batch_size=64)

    def counted(inputs, *, rng):
        drawn.append(inputs.decode(np.zeros((2, 10))).shape)
        np.testing.assert_allclose(inputs.image(np.arange(2)), data.gather(encode_indices[:2]).numpy())
        return {"counted": Figure()}

    encode_indices = torch.from_numpy(encode().indices)
    for labels in ("a", "a", "b"):  # put right before the last
        draw(
            lambda: encode().representation,
            data.info,
            {"counted": counted},
            folder=tmp_path,
            step=0,
            seed=0,
            labels=labels,
        )
    assert drawn == [(2, 1, 64, 64)] * 2
    with Image.open(tmp_path / "figures" / "counted.png") as picture:
        assert picture.size[0] > 100


def test_a_figure_that_lacks_something_is_left_out_with_the_reason(composed, tmp_path, caplog):
    def lacking(inputs, *, rng):
        raise NotApplicable("lacking needs more")

    config = composed("model=betavae")
    data = build.build_data(config).dataset
    model = build.build_model(config, data.info)
    caplog.set_level("INFO", "disent_runner")
    figures = {"lacking": lacking, "empty": lambda inputs, *, rng: {"empty": Figure()}}
    rep = encode_once(model, data, folder=tmp_path, indices=np.arange(20), batch_size=64).representation
    draw(lambda: rep, data.info, figures, folder=tmp_path, step=0, seed=0)
    assert "draw: left out: lacking needs more" in caplog.messages
    assert (tmp_path / "figures" / "empty.png").exists()


@pytest.mark.slow
def test_all_configured_figures_of_a_run_are_drawn(composed, tmp_path):
    config = composed("model=betavae")
    data = build.build_data(config).dataset
    model = build.build_model(config, data.info)
    draw(
        lambda: encode_once(model, data, folder=tmp_path, indices=np.arange(200), batch_size=64).representation,
        data.info,
        build.build_figures(config),
        folder=tmp_path,
        step=0,
        seed=0,
    )
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names >= {"reconstructions.png", "samples.png", "traversals_image_1.png", "traversals_prior_animated.gif"}
    assert "loss_curves.png" not in names  # nothing was trained
    with Image.open(tmp_path / "figures" / "reconstructions.png") as picture:
        assert np.asarray(picture.convert("L")).std() > 10
