"""Benchmarks of muxsaga: `python -m bench --help`."""
