import numpy as np
import pytest

from disent_runner.figures.grid import labelled_grid, tile


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_stand_where_they_belong_with_a_gap(channels):
    images = np.zeros((2, 3, channels, 4, 5))
    images[1, 2, -1] = 1.0
    picture = tile(images)
    assert picture.shape == (2 * 4 + 2, 3 * 5 + 2 * 2, 3)
    assert (picture[6:, 14:, 2] == 255).all()
    assert (picture[6:, 14:, 0] == (255 if channels == 1 else 0)).all()
    assert (picture[:4, :5] == 0).all()
    assert (picture[4:6] == 153).all()


def test_labels_stand_at_the_middle_of_their_rows():
    figure = labelled_grid(np.zeros((2, 2, 1, 8, 8)), row_labels=["up", "down"], column_labels=["l", "r"])
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["up", "down"]
    assert list(axes.get_yticks()) == [3.5, 13.5]
    assert list(axes.get_xticks()) == [3.5, 13.5]
