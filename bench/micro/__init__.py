"""What single parts of muxsaga cost: `python -m bench micro --help`.

Each `bench_*.py` has the benchmarks of one part, for pytest-benchmark. pytest collects them only
where it is told to, so no test run ever times anything.
"""
