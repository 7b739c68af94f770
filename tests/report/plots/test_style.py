import itertools
import re

import pytest

from disent_runner.report.plots import plots
from disent_runner.report.plots.style import marker_style
from tests.report.plots.conftest import drawing_of, text_boxes


def test_no_two_models_have_one_mark():
    marks = {(style["color"], style["marker"]) for style in map(marker_style, range(49))}
    assert len(marks) == 49


DRAWERS = [
    (plots.distribution, "mig"),
    (plots.sweep, "model.beta"),
    (plots.reconstruction_against_disentanglement, ""),
    (plots.total_correlation_against_gap, ""),
    (plots.rank_correlation, ""),
    (plots.udr_against_numbers, ""),
]


@pytest.mark.parametrize(("drawer", "subject"), DRAWERS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_texts_do_not_overlap_and_lie_within_the_picture(crowded_view, drawer, subject):
    _, title, caption, figure = drawing_of(drawer, crowded_view, subject)
    assert title
    assert re.fullmatch(r"[^\n]+\.", caption)
    boxes = text_boxes(figure)
    width, height = figure.get_size_inches() * figure.dpi
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    for (first, box), (second, neighbour) in itertools.combinations(boxes, 2):
        assert not box.overlaps(neighbour), (first, second)
