"""Plots of a result: `python -m bench plot --help`."""
