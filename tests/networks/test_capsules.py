import torch

from disent_runner.networks.capsules import GenerationUnits, RecognitionUnits

SHAPE = (2, 3, 4)


def generation(num_capsules: int = 3, num_units: int = 5) -> GenerationUnits:
    torch.manual_seed(0)
    return GenerationUnits(
        image_shape=SHAPE,
        num_capsules=num_capsules,
        num_units=num_units,
        home=torch.tensor([0.0, 1.0]),
        reach=torch.tensor([4.0, 0.0]),
        steepness=torch.tensor([1.0, 2.0]),
    )


def test_recognition_is_a_network_of_its_own_for_each_capsule():
    torch.manual_seed(0)
    network = RecognitionUnits(image_size=24, num_capsules=3, num_units=5, num_outputs=4)
    torch.nn.init.normal_(network.bias)
    images = torch.rand(2, *SHAPE)
    found = network(images)
    for capsule in range(3):
        own = slice(5 * capsule, 5 * capsule + 5)
        units = (images.flatten(1) @ network.units.weight[own].T + network.units.bias[own]).sigmoid()
        torch.testing.assert_close(found[:, capsule], units @ network.weight[capsule] + network.bias[capsule])


def test_the_image_is_the_sum_of_what_each_capsule_draws():
    network = generation()
    torch.nn.init.normal_(network.filter_bias)
    poses, presences = torch.randn(2, 3, 2), torch.rand(2, 3)
    expected = torch.zeros(2, 24)
    for capsule in range(3):
        units = (poses[:, capsule] @ network.weight[capsule] + network.bias[capsule]).sigmoid()
        picture = units @ network.filters[capsule] + network.filter_bias[capsule]
        expected += presences[:, capsule, None] * picture
    torch.testing.assert_close(network(poses, presences), expected.view(2, *SHAPE))
    torch.testing.assert_close(network.parts(poses, presences).sum(1), expected.view(2, *SHAPE))


def test_a_capsule_that_is_absent_draws_nothing():
    network = generation()
    assert not network.parts(torch.randn(1, 3, 2), torch.tensor([[1.0, 0, 1]]))[:, 1].any()


def test_units_start_where_poses_are_told_apart():
    network = generation(num_capsules=10, num_units=200)
    # a unit is at one half where its pose is: on a line through a place within home ± reach
    at_home = (torch.tensor([0.0, 1.0]) @ network.weight + network.bias).detach()
    places = at_home / network.weight[:, 0].detach()  # of the first number, the second being at home
    assert float(places.abs().max()) <= 4 + 1e-4
    assert float(places.std()) > 0.9 * 4 / 3**0.5
