import torch

from disent_runner.networks.recombination import RecombinationNetwork


def network() -> RecombinationNetwork:
    torch.manual_seed(0)
    return RecombinationNetwork(num_operators=3, hidden=64)


def test_it_is_that_of_the_replication(geometry, activations):
    whole = RecombinationNetwork(num_operators=3)
    assert geometry(whole) == [(4, 1024), (1024, 6)]
    assert activations(whole) == ["ReLU"]


def test_permuting_components_permutes_the_result():
    components, operators = torch.randn(6, 10, 4), torch.tensor([0, 1, 2, 2, 1, 0])
    order = torch.randperm(10)
    expected = network()(operators, components)[:, order]
    torch.testing.assert_close(network()(operators, components[:, order]), expected)


def test_a_component_sees_no_other():
    components = torch.randn(2, 5, 4)
    other = components.clone()
    other[:, 3] += 1
    before, after = (network()(torch.tensor([0, 2]), values) for values in (components, other))
    changed = (before != after).any(2)
    assert changed.tolist() == [[False, False, False, True, False]] * 2


def test_the_operator_chooses_its_own_mean_and_log_variance():
    components = torch.randn(1, 5, 4).expand(3, 5, 4)
    found = network()(torch.tensor([0, 1, 2]), components)
    outputs = network().layers(components[0])  # means of the three operators, then log variances
    for operator in range(3):
        torch.testing.assert_close(found[operator], outputs[:, [operator, 3 + operator]])
