"""conf/model/gan.yaml: InfoGAN's networks and batches, and nothing of its information."""

import pytest
import torch


def players_after_a_step(untrained, *overrides):
    model, batch = untrained(*overrides, "dataset.image_size=32", "dataset.batch_size=8")
    model.update(batch)
    players = {name: value for name, value in model.named_parameters() if not name.startswith("code_head")}
    return torch.cat([value.flatten() for value in players.values()])


@pytest.mark.parametrize(("name", "is_plain"), [("gan", True), ("infogan", False)])
def test_what_images_tell_of_their_codes_moves_no_player(name, is_plain, untrained):
    """However much it weighs: that of InfoGAN does."""
    nothing, much = (
        players_after_a_step(untrained, f"model={name}", f"model.lambda_categorical={weight}") for weight in (0, 10)
    )
    assert torch.equal(nothing, much) == is_plain
