"""The fixture of the benchmarks, and what pytest-benchmark need not find out."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.micro.measure import Measure, measured_beside


@pytest.fixture
def measure(benchmark: BenchmarkFixture) -> Measure:
    """Measure some work by pytest-benchmark."""

    def measure_it(
        work: Callable[..., object],
        *,
        operations: int = 1,
        prepare: Callable[[], object] | None = None,
        rounds: int | None = None,
        disk: bool = False,
    ) -> None:
        def run() -> None:
            if prepare is None:
                benchmark(work)
            else:
                pedantic: Callable[..., object] = benchmark.pedantic
                pedantic(work, setup=lambda: ((prepare(),), {}), rounds=rounds or 1)

        benchmark.extra_info.update(
            operations=operations, disk=disk, calibration_ns=measured_beside(run)
        )

    return measure_it


def pytest_benchmark_generate_machine_info() -> dict[str, Any]:
    """Leave the machine to `bench.environment`: finding it out again takes seconds."""
    return {}


def pytest_benchmark_generate_commit_info() -> dict[str, Any]:
    """Leave the revision to `bench.environment`."""
    return {}
