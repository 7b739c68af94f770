"""Held against all states of machines that are small enough to have them counted."""

from itertools import pairwise, product

import pytest
import torch
from torch import Tensor
from torch.func import grad

from disent_runner.losses.three_way import (
    Hidden,
    ThreeWay,
    contrast,
    energy,
    equal_norms,
    evidence_of,
    free_energy,
    gibbs_sweep,
    logits_h,
    logits_m,
    mean_field,
    statistics,
    visible_mean,
)

VISIBLE, POSE, IDENTITY, FACTORS = 4, 2, 2, 3
SEEDS = [0, 1, 2]


def machine(seed: int, *, scale: float = 1.0) -> ThreeWay:
    draw = torch.Generator().manual_seed(seed)
    shapes = [(VISIBLE, FACTORS), (POSE, FACTORS), (IDENTITY, FACTORS), (VISIBLE, POSE), (VISIBLE, IDENTITY)]
    shapes += [(VISIBLE,), (POSE,), (IDENTITY,)]
    return ThreeWay(*(scale * torch.randn(shape, generator=draw, dtype=torch.float64) for shape in shapes))


def states(size: int) -> Tensor:
    return torch.tensor([*product((0.0, 1.0), repeat=size)], dtype=torch.float64)


def every_state(group: int = 1) -> tuple[Tensor, Hidden]:
    """All binary v of a group of images, m and h."""
    bits = states(group * (VISIBLE + POSE) + IDENTITY)
    v, m, h = bits.split([group * VISIBLE, group * POSE, IDENTITY], dim=1)
    return v.unflatten(1, (group, VISIBLE)), Hidden(m.unflatten(1, (group, POSE)), h)


def by_hand(theta: ThreeWay, v: Tensor, m: Tensor, h: Tensor) -> Tensor:
    """The energy of one image as METHODS writes it, term by term."""
    total = -(v @ theta.bias_v) - m @ theta.bias_m - h @ theta.bias_h
    for i, j in product(range(VISIBLE), range(POSE)):
        total = total - v[i] * theta.pairs_m[i, j] * m[j]
    for i, k in product(range(VISIBLE), range(IDENTITY)):
        total = total - v[i] * theta.pairs_h[i, k] * h[k]
    for i, j, k, f in product(range(VISIBLE), range(POSE), range(IDENTITY), range(FACTORS)):
        weight = theta.factors_v[i, f] * theta.factors_m[j, f] * theta.factors_h[k, f]
        total = total - v[i] * m[j] * h[k] * weight
    return total


def test_the_energy_is_the_sum_over_all_triples() -> None:
    theta = machine(0)
    v, hidden = every_state()
    expected = torch.stack([by_hand(theta, v[i, 0], hidden.m[i, 0], hidden.h[i]) for i in range(0, 256, 17)])
    found = energy(theta, v, hidden, is_gaussian=False)
    torch.testing.assert_close(found[::17], expected)
    assert (energy(theta, v, hidden, is_gaussian=True) - found).tolist() == pytest.approx(
        (v.sum((1, 2)) / 2).tolist()  # of bits the squares are themselves
    )


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_conditionals_are_those_of_enumeration(seed: int, group: int) -> None:
    """Each unit given all others, from the joint's table; h of a pair is one for both."""
    theta = machine(seed)
    v, hidden = every_state(group)
    joint = (-energy(theta, v, hidden, is_gaussian=False)).exp()
    bits = torch.cat([v.flatten(1), hidden.m.flatten(1), hidden.h], dim=1).long()
    place = 2 ** torch.arange(bits.shape[1] - 1, -1, -1)
    seen = evidence_of(theta, v)
    found = torch.cat(
        [
            visible_mean(theta, hidden, is_gaussian=False).flatten(1),
            logits_m(theta, seen, hidden.h).sigmoid().flatten(1),
            logits_h(theta, seen, hidden.m).sigmoid(),
        ],
        dim=1,
    )
    for unit in range(bits.shape[1]):
        on = (bits @ place) | place[unit]
        expected = joint[on] / (joint[on] + joint[on - place[unit]])
        torch.testing.assert_close(found[:, unit], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("seed", SEEDS)
def test_gaussian_units_are_normal_around_their_mean(seed: int) -> None:
    """log p(v | m, h) = -½ ‖v - mean‖² and what does not depend on v."""
    theta = machine(seed)
    _, hidden = every_state(2)
    draw = torch.Generator().manual_seed(seed)
    mean = visible_mean(theta, hidden, is_gaussian=True)
    v = mean + torch.randn(mean.shape, generator=draw, dtype=torch.float64)
    above = energy(theta, v, hidden, is_gaussian=True) - energy(theta, mean, hidden, is_gaussian=True)
    torch.testing.assert_close(above, (v - mean).square().sum((1, 2)) / 2)


@pytest.mark.parametrize("is_gaussian", [False, True])
def test_statistics_are_the_gradient_of_minus_the_energy(is_gaussian: bool) -> None:
    theta = machine(0)
    draw = torch.Generator().manual_seed(0)
    v, m, h = (torch.rand(shape, generator=draw, dtype=torch.float64) for shape in [(5, 2, 4), (5, 2, 2), (5, 2)])
    expected = grad(lambda theta: -energy(theta, v, Hidden(m, h), is_gaussian=is_gaussian).mean() / 2)(theta)
    for one, other in zip(statistics(theta, v, Hidden(m, h)), expected, strict=True):
        torch.testing.assert_close(one, other)


def log_likelihood(theta: ThreeWay, v: Tensor) -> Tensor:
    """Mean log p(v) of bits, (image, visible), by enumeration."""
    everything, hidden = every_state()
    log_partition = torch.logsumexp(-energy(theta, everything, hidden, is_gaussian=False), 0)
    bits = states(POSE + IDENTITY)
    m, h = (part.repeat(len(v), 1) for part in bits.split([POSE, IDENTITY], dim=1))
    copies = v.repeat_interleave(len(bits), dim=0)[:, None]
    joint = -energy(theta, copies, Hidden(m[:, None], h), is_gaussian=False)
    return torch.logsumexp(joint.unflatten(0, (len(v), -1)), 1).mean() - log_partition


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_sweeps_of_200_chains_point_along_the_true_gradient(seed: int) -> None:
    """Contrastive divergence from the images on, mean field on the images: a cosine above 0.8."""
    torch.manual_seed(seed)
    theta = machine(seed)
    patterns = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]], dtype=torch.float64)
    exact = grad(log_likelihood)(theta, patterns)
    v = patterns[torch.arange(200) % 3][:, None]
    data = statistics(theta, v, mean_field(theta, evidence_of(theta, v), num_sweeps=20))
    chain, h = v, (torch.rand(200, IDENTITY) < 0.5).double()
    hidden = Hidden(v, h)
    for _ in range(10):
        chain, _, hidden = gibbs_sweep(theta, chain, h, is_gaussian=False)
        h = hidden.h
    model = statistics(theta, chain, hidden)
    found = torch.cat([(one - other).flatten() for one, other in zip(data, model, strict=True)])
    true = torch.cat([part.flatten() for part in exact])
    assert torch.cosine_similarity(found, true, dim=0) > 0.8


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_sweep_of_mean_field_raises_the_free_energy(seed: int, group: int) -> None:
    """It stays above -log Σ exp(-E), and is that of one half and one half at the start."""
    theta = machine(seed, scale=2.0)
    v = every_state(group)[0][:: 7 * 16 ** (group - 1)]
    seen = evidence_of(theta, v)
    falling = [
        free_energy(theta, v, mean_field(theta, seen, num_sweeps=count), is_gaussian=False) for count in range(12)
    ]
    assert all((after <= before + 1e-9).all() for before, after in pairwise(falling))
    assert (falling[1] < falling[0] - 1e-3).any()
    hidden = states(group * POSE + IDENTITY)
    for image, least in zip(v, falling[-1], strict=True):
        m, h = hidden.split([group * POSE, IDENTITY], dim=1)
        state = Hidden(m.unflatten(1, (group, POSE)), h)
        joint = -energy(theta, image.expand(len(h), -1, -1), state, is_gaussian=False)
        assert least >= -torch.logsumexp(joint, 0) - 1e-9


def test_a_pair_of_one_image_with_itself_has_one_m() -> None:
    theta = machine(1)
    v = every_state()[0]
    hidden = mean_field(theta, evidence_of(theta, v.expand(-1, 2, -1)), num_sweeps=5)
    torch.testing.assert_close(hidden.m[:, 0], hidden.m[:, 1])


def test_chains_come_to_the_joint_of_enumeration() -> None:
    """Means of v after many sweeps, within five standard errors of bits."""
    torch.manual_seed(0)
    theta = machine(2, scale=0.7)
    v, hidden = every_state()
    joint = (-energy(theta, v, hidden, is_gaussian=False)).softmax(0)
    expected = joint @ v[:, 0]
    chain, h = torch.zeros(4000, 1, VISIBLE, dtype=torch.float64), torch.zeros(4000, IDENTITY, dtype=torch.float64)
    for _ in range(40):
        chain, _, state = gibbs_sweep(theta, chain, h, is_gaussian=False)
        h = state.h
    error = (expected * (1 - expected) / 4000).sqrt()
    assert ((chain[:, 0].mean(0) - expected).abs() < 5 * error).all()


def test_contrast_is_half_of_squares_to_the_like_and_of_what_lacks_to_the_margin() -> None:
    m = torch.tensor([[0.0, 0.0], [0.6, 0.8], [0.0, 0.5], [9.0, 9.0]])
    labels = torch.tensor([[0.0], [0.0], [1.0], [1.0]])
    pull = (0.5 * 1**2 + 0.5 * (9**2 + 8.5**2)) / 2
    push = (0.5 * (2 - 0.5) ** 2 + 0.5 * (2 - 0.45**0.5) ** 2 + 0 + 0) / 4
    assert float(contrast(m, labels, margin=2.0)) == pytest.approx(pull + push)
    assert float(contrast(m[:2], labels[:2], margin=2.0)) == 0.5  # none to push
    assert float(contrast(m[1:3], labels[1:3], margin=2.0)) == pytest.approx(0.5 * (2 - 0.45**0.5) ** 2)  # none to pull


def test_images_of_one_code_push_nothing_to_infinity() -> None:
    m = torch.zeros(2, 3, requires_grad=True)
    (slope,) = torch.autograd.grad(contrast(m, torch.tensor([[0.0], [1.0]]), margin=1.0), m)
    assert torch.isfinite(slope).all()


def test_columns_keep_their_mean_length() -> None:
    weights = torch.tensor([[3.0, 0.0], [4.0, 1.0]])
    torch.testing.assert_close(equal_norms(weights), torch.tensor([[1.8, 0.0], [2.4, 3.0]]))
    assert torch.equal(equal_norms(torch.zeros(2, 2)), torch.zeros(2, 2))
