"""How the cost of a training step grows with the batch and with the number of latents."""

from loops import build_run, real_loop
from measure import config_of, row

WINDOWS, STEPS = 3, 40


def step_of(*overrides: str) -> list[float]:
    """Milliseconds per step in the program's loop."""
    plan = [f"trainer.max_steps={STEPS}", "trainer.log_every=10", "trainer.accelerator=cpu", "network=conv64"]
    config = config_of(*plan, *overrides)
    return [1000 * real_loop(*build_run(config), accelerator="cpu", precision="32-true") for _ in range(WINDOWS)]


def main() -> None:
    for batch_size in (16, 32, 64, 128, 256):
        times = step_of("model=betavae", f"dataset.batch_size={batch_size}")
        note = f"{sorted(times)[WINDOWS // 2] / batch_size:.2f} ms an image"
        row(f"betavae, conv64, batch of {batch_size}", times, "ms a step", note).print()
    for latents in (2, 10, 50, 200):
        row(
            f"btcvae, conv64, {latents} latents", step_of("model=btcvae", f"model.latent_dim={latents}"), "ms a step"
        ).print()
    for latents in (2, 10, 50, 200):
        row(
            f"dipvae, conv64, {latents} latents", step_of("model=dipvae", f"model.latent_dim={latents}"), "ms a step"
        ).print()


if __name__ == "__main__":
    main()
