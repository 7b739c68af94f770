"""Our environments among Gymnasium's: `gymnasium.make("disent_runner/ToyArena-v0")` after `register()`."""

from typing import TYPE_CHECKING, Any

from disent_runner.environments.extra import needs_agents
from disent_runner.environments.icf_grid import IcfGrid
from disent_runner.environments.toyarena import ToyArena

if TYPE_CHECKING:
    from gymnasium import Env

_HERE = "disent_runner.environments"


def register() -> None:
    """As often as one likes. Raises ValueError without the extra."""
    needs_agents("Gymnasium")
    import gymnasium

    for name, place in {"IcfGrid": "icf_grid", "ToyArena": "toyarena"}.items():
        id = f"disent_runner/{name}-v0"
        if id not in gymnasium.registry:
            single, many = f"{_HERE}.registered:single_{place}", f"{_HERE}.{place}:{place}"
            gymnasium.register(id, entry_point=single, vector_entry_point=many)


def single_icf_grid(render_mode: str | None = None, **settings: Any) -> "Env":
    from disent_runner.environments.gymnasium_worlds import SingleWorld

    return SingleWorld(IcfGrid(**settings), render_mode)


def single_toyarena(render_mode: str | None = None, **settings: Any) -> "Env":
    from disent_runner.environments.gymnasium_worlds import SingleWorld

    return SingleWorld(ToyArena(**settings), render_mode)
