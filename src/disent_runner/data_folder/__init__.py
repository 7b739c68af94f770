"""`disent-data`: which data sets there are, fetched or rendered, checked, described, and written for other programs.

`choice` makes a data set's card out of the config files; the other modules are one subcommand each, or what it needs.
"""
