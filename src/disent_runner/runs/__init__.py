"""The run folder: one module for each of its files, and nobody else opens that file."""
