"""The sagas that every launcher runs."""

from actors.sagas.pool_fill import PoolRefill, PoolRespawnOnPromote
from actors.sagas.window_cleanup import WindowCleanupCascade

__all__ = ["PoolRefill", "PoolRespawnOnPromote", "WindowCleanupCascade"]
