"""Which connections were asked to register again, before they take another epoch's place.

A dead process's `Register` may be read after its successor's: from another connection, where the
launcher stood still meanwhile, or late from a slow network. It must not fence the living one. So
whoever would take a place is asked first; only a living process can answer.
"""

OPEN_LIMIT = 256
"""How many connections may be asked at once; the oldest is forgotten, and asked anew."""


class Challenges:
    """The open ones, for every host and service."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, bytes], int] = {}
        self._last = 0

    def pose(self, host: str, connection: bytes) -> int:
        """Give the token by which a connection can answer; an earlier one of it is void."""
        self._tokens.pop((host, connection), None)
        if len(self._tokens) >= OPEN_LIMIT:
            del self._tokens[next(iter(self._tokens))]
        self._last += 1
        self._tokens[host, connection] = self._last
        return self._last

    def is_answer(self, host: str, connection: bytes, token: int) -> bool:
        """Say whether that is the token of this connection, since the last epoch took the place."""
        return self._tokens.get((host, connection)) == token

    def settle(self, host: str) -> None:
        """Hear that an epoch took a host's place: every challenge for it is void."""
        for key in [key for key in self._tokens if key[0] == host]:
            del self._tokens[key]
