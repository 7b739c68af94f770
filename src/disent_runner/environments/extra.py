"""What acts needs an extra that what only looks does not."""

from importlib.util import find_spec


def needs_agents(choice: str) -> None:
    """ValueError where the extra `agents` is not installed, with how to install it; `choice` as it is typed."""
    if find_spec("gymnasium") is None or find_spec("stable_baselines3") is None:
        raise ValueError(f"{choice} needs the extra `agents`: pip install 'disent-runner[agents]'")
