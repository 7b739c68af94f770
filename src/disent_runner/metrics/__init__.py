"""Metrics, one module each.

A metric's module holds its entry, a function of the same name that takes a `Representation`, a random generator and
settings and returns the plain floats that it declares, and beside it the functions of arrays that do the maths.
`disent_runner.score` applies metrics to arrays of any kind.
"""
