"""Disentanglement metrics, one module each: `from disent_runner.metrics.mig import mig`.

An entry takes a `Representation` and a random generator and returns plain floats; the function of arrays that does the
maths stands beside it in the same module. Importing this package imports none of them, and does not lift their names:
`disent_runner.metrics.mig` must stay the module, or Hydra cannot find the `_target_` `disent_runner.metrics.mig.mig`.
"""
