import torch

from disent_runner.models.pixels import Pixels


def test_codes_are_the_pixels(dataset) -> None:
    model = Pixels(info=dataset.info)
    images = dataset.gather(torch.arange(5))
    codes, logvar = model.encode(images)
    assert (model.latent_dim, logvar) == (256, None)
    torch.testing.assert_close(codes, images.reshape(5, -1))
    torch.testing.assert_close(model.decode(codes), images)
    assert model.decode(codes * 3 - 1).max() == 1
