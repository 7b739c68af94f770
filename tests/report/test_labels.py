import pytest

from disent_runner.report.labels import labels, shown, symbols


def rows(*facts: dict) -> list[dict]:
    return [{"dataset": "blob", "model": "betavae", **fact} for fact in facts]


def test_what_people_vary_is_said_and_no_more():
    """Hashes, classes of networks and counts of images differ too, and tell nobody anything."""
    machine = ({"network.encoder": "Tiny", "data_hash": "a", "num_images": 5}, {"data_hash": "b", "num_images": 9})
    named = rows({"model.beta": 1.0, **machine[0]}, {"model.beta": 4.0, **machine[1]})
    assert labels(named) == ["betavae β=1", "betavae β=4"]


def test_what_else_is_needed_to_tell_rows_apart_is_said_where_it_is_needed():
    named = rows({"id": "x", "factors": "scale"}, {"id": "y", "factors": "shape"}, {"model": "vae", "id": "z"})
    assert labels(named) == ["betavae factors=scale", "betavae factors=shape", "vae"]
    assert labels(rows({"id": "x"}, {"id": "y"})) == ["betavae id=x", "betavae id=y"]


def test_the_usual_value_goes_without_saying_unless_it_has_a_greek_letter():
    rates = rows(*({"model.beta": beta, "optimizer.lr": 1e-4} for beta in (1.0, 4.0, 16.0)))
    rates += rows({"model.beta": 4.0, "optimizer.lr": 1e-3})
    assert labels(rates) == ["betavae β=1", "betavae β=4", "betavae β=16", "betavae β=4 lr=0.001"]


def test_a_row_without_what_is_usual_is_told_from_those_with_it():
    usual = {"model.latent_dim": 10.0}
    named = labels(rows({**usual, "id": "a"}, {**usual, "model.beta": 2.0, "id": "b"}, {"id": "c"}))
    assert len(set(named)) == 3


def test_what_one_model_has_is_not_compared_with_what_another_has():
    assert labels(rows({"model": "pca"}, {"model": "factorvae", "model.gamma": 35.0})) == ["pca", "factorvae"]


def test_what_runs_of_one_data_set_differ_in_is_not_compared_with_another_data_set():
    """Only toydigits has images of two sizes, and of another model."""
    sizes = rows({}, {"dataset": "toydigits", "dataset.image_size": None})
    sizes += rows({"dataset": "toydigits", "model": "gan", "dataset.image_size": 16.0})
    assert labels(sizes) == ["blob: betavae", "toydigits: betavae", "toydigits: gan"]


def test_rows_that_are_the_same_have_one_name():
    assert labels(rows({"id": "a"}, {"id": "a"})) == ["betavae", "betavae"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.0, "4"),
        (0.0001, "0.0001"),
        (5e-10, "5e-10"),
        (1e12, "1e+12"),
        (True, "true"),
        (None, "null"),
        ("a", "a"),
        (3, "3"),
    ],
)
def test_values_are_shown_as_they_are_typed(value, text):
    assert shown(value) == text


def test_keys_with_the_same_end_are_shown_whole():
    assert symbols(["a.lr", "b.lr", "model.beta"]) == {"a.lr": "a.lr", "b.lr": "b.lr", "model.beta": "β"}
