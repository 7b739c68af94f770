import numpy as np
import pytest

from disent_runner.rendering.checks import check_range

SIZES = {"scale": 6, "light": 11}


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([[0, 0], [6, 0]], "^scale must be 0 to 5, got 6 in row 1$"),
        ([[0, -1], [6, 0]], "^light must be 0 to 10, got -1 in row 0$"),
        ([[0, 0], [-1, 11], [7, 0]], "^scale must be 0 to 5, got -1 in row 1$"),
    ],
)
def test_the_first_wrong_value_is_named(factors: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_range(np.array(factors), SIZES)


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8])
def test_the_first_and_last_values_pass(dtype: type) -> None:
    check_range(np.array([[0, 0], [5, 10]], dtype), SIZES)


def test_no_rows_pass() -> None:
    check_range(np.zeros((0, 2), np.int64), SIZES)
