"""docs/settings.md says what the code declares."""

from scripts.setting_tables import PAGE, page


def test_the_page_of_settings_is_that_of_the_code():
    """`python scripts/setting_tables.py` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()
