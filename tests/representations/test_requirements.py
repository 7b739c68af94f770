from typing import Any

import pytest

from disent_runner.representations.requirements import require_at_least


@pytest.mark.parametrize("given", [1.5, "abc", None, True, 1e4])
def test_what_is_no_whole_number_is_named_with_its_setting(given: Any) -> None:
    with pytest.raises(ValueError, match=rf"^dci needs num_train to be a whole number >= 1, got {given!r}$"):
        require_at_least("dci", 1, num_train=given)
