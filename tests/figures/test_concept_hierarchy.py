import numpy as np
import pytest
from matplotlib.colors import to_rgba

from disent_runner.figures.concept_hierarchy import concept_hierarchy, parts_of
from disent_runner.representations.requirements import NotApplicable
from tests.figures.rooms import inputs_of, without_symbols
from tests.metrics.rooms import taught


def test_parts_are_all_concepts_above_one() -> None:
    parts = parts_of(np.array([[2, -1, 0, 5]]))
    assert len(parts) == 2**3 - 1
    assert parts[:3].tolist() == [[-1, -1, -1, 5], [-1, -1, 0, -1], [2, -1, -1, -1]]
    assert parts[-1].tolist() == [2, -1, 0, 5]


def test_a_line_to_each_that_names_one_value_more(rng) -> None:
    """Of three values the cube without its lowest corner: 9 edges. What was taught is filled."""
    (figure,) = concept_hierarchy(inputs_of(), rng=rng, concept=None).values()
    axes = figure.axes[0]
    texts = {text.get_text(): text for text in axes.texts}
    assert set(texts) == {"blue", "green b", "hat", "blue\ngreen b", "blue\nhat", "green b\nhat", "blue\ngreen b\nhat"}
    assert len(axes.lines) == 9
    for line in axes.lines:
        assert -np.diff(line.get_ydata()) == 1
    boxes = {name: text.get_bbox_patch() for name, text in texts.items()}
    filled = [name for name, box in boxes.items() if box and box.get_facecolor() == to_rgba("lightsteelblue")]
    assert filled == ["blue\ngreen b\nhat"]
    assert texts["blue\ngreen b\nhat"].get_position() == (0, -3)


def test_a_concept_by_its_name(rng) -> None:
    (figure,) = concept_hierarchy(inputs_of(), rng=rng, concept="white, green a").values()
    assert [text.get_text() for text in figure.axes[0].texts] == ["white", "green a", "green a\nwhite"]
    with pytest.raises(ValueError, match=r"^no attribute is called 'whit'; did you mean 'white'\?"):
        concept_hierarchy(inputs_of(), rng=rng, concept="whit")


def test_what_lacks_symbols_is_left_out(rng) -> None:
    with pytest.raises(NotApplicable, match=r"^concept_hierarchy needs a model that was taught symbols"):
        concept_hierarchy(without_symbols(), rng=rng, concept=None)
    with pytest.raises(NotApplicable, match=r"^concept_hierarchy needs a concept of at most 5 factors, got none"):
        concept_hierarchy(inputs_of(taught(train=np.empty((0, 3), np.int64))), rng=rng, concept=None)
