"""Times of the wall clock, for people."""

from datetime import UTC, datetime


def wall_time(nanoseconds: int) -> str:
    """Give a time of the wall clock, in nanoseconds, as ISO 8601 in UTC."""
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat(timespec="milliseconds")
