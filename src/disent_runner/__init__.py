"""disent-runner: train, score, draw and sweep disentangled representation learning models."""
