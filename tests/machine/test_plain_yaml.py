import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from disent_runner.machine.plain_yaml import parsed

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner), max_leaves=4
)
KEYS = st.from_regex(r"[A-Za-z_]\w{0,8}", fullmatch=True) | st.text(max_size=8)


@settings(max_examples=60)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_a_config_parsed_by_sections_is_what_yaml_says(content):
    text = yaml.dump(content, Dumper=yaml.CSafeDumper, allow_unicode=True)
    assert parsed(text) == yaml.load(text, yaml.CSafeLoader)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &x {b: 1}\nc: *x\n", r"refers to itself \(\*x\)"),
        ("a: &a [&b [x, x], *b, *b]\n", "refers to itself"),
        ("a: &a [*a]\n", "refers to itself"),
        ("a: &a {b: 1}\nb: {<<: *a}\n", "refers to itself"),
        (f"a: {'[' * 50_000}{']' * 50_000}\n", "more than 40 levels"),
        (f"a: {'[' * 99}{']' * 99}\n", "more than 40 levels"),
        ("a: 2020-01-01\n", "holds a date"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
    ],
)
def test_what_would_grow_or_is_no_plain_value_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        parsed(text)


def test_an_ampersand_in_a_text_is_no_reference():
    assert parsed("a: '*x & y'\n") == {"a": "*x & y"}


def test_sections_of_other_configs_are_not_parsed_again():
    first, second = (parsed(f"seed: {seed}\nmodel: {{beta: 4}}\n") for seed in range(2))
    assert first["model"] is second["model"]
