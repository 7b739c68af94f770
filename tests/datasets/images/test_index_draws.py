import numpy as np
import pytest
import torch

from disent_runner.datasets.images.index_draws import draws

INDICES = torch.arange(20_000)


def test_numbers_are_those_of_murmurhash() -> None:
    # fmix32(1) and fmix32(2) of the reference implementation
    (halves,) = draws(torch.tensor([0, 1, 2]), (2**31,))
    assert halves.tolist() == [0, 0x514E28B7 >> 1, 0x30F4C306 >> 1]


def test_indices_and_columns_are_counted_through() -> None:
    (alone,) = draws(torch.arange(15), (1000,))
    rows = torch.stack(draws(torch.arange(5), (1000, 1000, 1000)), dim=1)
    assert rows.flatten().tolist() == alone.tolist()


def test_neither_order_nor_company_matters() -> None:
    one, other = draws(INDICES, (77, 10))
    some = torch.tensor([19_999, 3, 3])
    for column, whole in zip(draws(some, (77, 10)), (one, other), strict=True):
        assert column.tolist() == whole[some].tolist()
    assert all(len(column) == 0 for column in draws(INDICES[:0], (77, 10)))


@pytest.mark.parametrize("size", [1, 2, 3, 128, 211])
def test_numbers_are_uniform(size: int) -> None:
    (column,) = draws(INDICES, (size,))
    expected = len(INDICES) / size
    counts = np.bincount(column.numpy(), minlength=size)
    assert len(counts) == size
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi_square - (size - 1)) <= 5 * np.sqrt(2 * size)


def test_neighbours_and_columns_are_not_alike() -> None:
    columns = torch.stack(draws(INDICES, (256, 256, 256)), dim=1).double()
    series = torch.cat([columns[:-1], columns[1:]], dim=1)
    assert (torch.corrcoef(series.T) - torch.eye(6)).abs().max() < 4.5 / np.sqrt(len(INDICES))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_draws_the_same() -> None:
    for here, there in zip(draws(INDICES, (7, 256)), draws(INDICES.cuda(), (7, 256)), strict=True):
        torch.testing.assert_close(there.cpu(), here, rtol=0, atol=0)
