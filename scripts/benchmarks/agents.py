"""Environments: steps a second of processor time, with drawing, beside the same arithmetic in a bare NumPy loop.
Agents: steps a second in the program's own loop beside Stable-Baselines3's `learn` of the same policy.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from loops import SPARE, build_run, real_loop
from measure import config_of, row

from disent_runner.environments.icf_grid import icf_grid
from disent_runner.environments.toyarena import ToyArena, hue_triples, toyarena
from disent_runner.environments.world import State
from disent_runner.rendering.arena import AGENT, DISC, FLOOR, STAR, WALL, draw_arena

NUM_ENVS, NUM_STEPS, WINDOWS = 256, 200, 9
ITERATIONS = {"a2c": 400, "ppo": 20, "dqn": 1_500}
SIDE, EPISODE = 6, 40
Step = Callable[[np.ndarray], tuple[np.ndarray, ...]]


def bare_arena(first: State) -> Step:
    """What `toyarena` computes from the same start, in one function, without a state to keep and without Gymnasium."""
    rng = np.random.default_rng(0)
    hues_of, things_of = hue_triples("source"), np.array([DISC] * 3 + [STAR] * 3)
    room = np.full((8, 8), WALL)
    room[1:-1, 1:-1] = FLOOR
    free = np.flatnonzero(room == FLOOR)
    rows, moves = np.arange(len(first["agent"])), np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    rewards_of = np.array([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])
    place = np.stack([first["agent"] % SIDE, first["agent"] // SIDE], axis=1).astype(int)
    things, left, hues, count = first["things"].astype(int), first["left"], first["hues"].astype(int), 0

    def begin() -> None:
        nonlocal place, things, left, hues
        cells = rng.random((len(rows), SIDE**2)).argsort(axis=1)[:, :7]
        place = np.stack([cells[:, 0] % SIDE, cells[:, 0] // SIDE], axis=1)
        things, left = cells[:, 1:], np.ones(left.shape, bool)
        hues = hues_of[rng.integers(len(hues_of), size=len(rows))]

    def seen() -> tuple[np.ndarray, np.ndarray]:
        cells = np.repeat(room.reshape(1, -1), len(rows), axis=0)
        cells[rows[:, None], free[things]] = np.where(left, things_of, FLOOR)
        cells[rows, free[place[:, 1] * SIDE + place[:, 0]]] = AGENT
        places = np.stack([things % SIDE, things // SIDE], axis=2).reshape(len(rows), -1)
        factors = np.concatenate([hues, place, places, left], axis=1)
        return draw_arena(hues, cells, image_size=32), factors

    def step(actions: np.ndarray) -> tuple[np.ndarray, ...]:
        nonlocal place, left, count
        place = np.clip(place + moves[actions], 0, SIDE - 1)
        touched = left & (things == (place[:, 1] * SIDE + place[:, 0])[:, None])
        left = left & ~touched
        rewards = touched @ rewards_of
        images, factors = seen()
        count += 1
        if count % EPISODE == 0:
            begin()
            images, factors = seen()
        return images, rewards, factors

    return step


def steps_of(steps: list[Callable[[np.ndarray], object]]) -> list[list[float]]:
    """Steps a second of each, window by window in turn, so that what else the machine does is shared."""
    rng = np.random.default_rng(0)
    script = rng.integers(4, size=(NUM_STEPS, NUM_ENVS))
    rates: list[list[float]] = [[] for _ in steps]
    for window in range(WINDOWS + 1):
        for step, found in zip(steps, rates, strict=True):
            start = time.process_time()
            for actions in script:
                step(actions)
            if window:  # the first warms up
                found.append(NUM_ENVS * NUM_STEPS / (time.process_time() - start))
    return rates


def learn_alone(model: Any, timesteps: int) -> float:
    """Seconds of a step of all environments together, from the first fifth on."""
    first = int(SPARE * timesteps)
    model.configure_optimizers()
    algorithm = model.learner._algorithm
    algorithm.learn(first)
    begun, start = algorithm.num_timesteps, time.perf_counter()
    algorithm.learn(timesteps - first, reset_num_timesteps=False)
    return (time.perf_counter() - start) / (algorithm.num_timesteps - begun)


def agents() -> None:
    """On true factors, so that no vision hides what the loop costs."""
    for name, iterations in ITERATIONS.items():
        plan = [f"trainer.max_steps={iterations}", f"trainer.log_every={iterations // 10}", "trainer=quick"]
        config = config_of(f"agent={name}", "vision=oracle", *plan, "trainer.accelerator=cpu")
        ours, alone = [], []
        for _ in range(WINDOWS):
            model, datamodule = build_run(config)
            steps_each = model.environment_steps
            ours.append(steps_each / real_loop(model, datamodule, accelerator="cpu", precision="32-true"))
            model, _ = build_run(config)
            alone.append(1 / learn_alone(model, iterations * steps_each))
        row(f"{name}, our loop", ours, "steps/s of environments").print()
        row(f"{name}, Stable-Baselines3 alone", alone, "steps/s of environments").print()
        row(f"{name}, our loop / alone", [a / b for a, b in zip(ours, alone, strict=True)], "").print()


def main() -> None:
    agents()
    made = {
        "toyarena of 32 pixels": toyarena(NUM_ENVS),
        "toyarena of 64 pixels": toyarena(NUM_ENVS, image_size=64),
        "icf_grid": icf_grid(NUM_ENVS),
        "icf_grid with object and distractor": icf_grid(NUM_ENVS, toggled_object=True, distractor=True),
    }
    for many in made.values():
        many.reset(seed=0)
    names = [*made, "toyarena of 32 pixels, bare NumPy loop"]
    bare = bare_arena(ToyArena().start(0, np.arange(NUM_ENVS), np.zeros(NUM_ENVS)))
    note = f"{NUM_ENVS} at once, drawn"
    for name, rates in zip(names, steps_of([*(many.step for many in made.values()), bare]), strict=True):
        row(f"{name}, environment steps", rates, "steps/s of CPU", note).print()


if __name__ == "__main__":
    main()
