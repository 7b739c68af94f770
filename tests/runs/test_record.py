import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from disent_runner.runs.record import parsed

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner), max_leaves=4
)
KEYS = st.from_regex(r"[A-Za-z_]\w{0,8}", fullmatch=True) | st.text(max_size=8)


@settings(max_examples=60)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_a_config_parsed_by_sections_is_what_yaml_says(content):
    text = yaml.dump(content, Dumper=yaml.CSafeDumper, allow_unicode=True)
    assert parsed(text) == yaml.load(text, yaml.CSafeLoader)


def test_a_config_with_references_between_sections_is_parsed_whole():
    assert parsed("a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}


def test_sections_of_other_configs_are_not_parsed_again():
    first, second = (parsed(f"seed: {seed}\nmodel: {{beta: 4}}\n") for seed in range(2))
    assert first["model"] is second["model"]
