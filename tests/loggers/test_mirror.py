from dataclasses import replace

from disent_runner.loggers.mirror import COLUMNS, headline_values, table_of, values_of


def test_a_run_is_called_by_what_it_is_of(notes):
    assert notes.title == "betavae blob 0123abcd seed=3"
    assert notes.tags == ["betavae", "blob", "sweep:8d6e", "recipe:me2026/fig1"]
    assert notes.origin == {"sweep": "8d6e", "recipe": "me2026/fig1"}
    assert replace(notes, sweep=None, recipe=None).tags == ["betavae", "blob"]


def test_numbers_have_their_own_names_and_the_headline_is_told(scores):
    assert values_of(scores) == {"mig": 0.25, "mig_x": 0.5}
    assert headline_values(scores) == {"mig": 0.25}
    sampled = replace(scores[0], making=replace(scores[0].making, representation="sampled"))
    assert values_of([sampled]) == {"mig (sampled)": 0.25}


def test_the_table_holds_every_row_and_why_one_has_no_value(scores):
    rows = table_of(scores)
    assert [len(row) for row in rows] == [len(COLUMNS)] * 3
    assert rows[2][:3] == ["sap", None, "sap needs factors"]
