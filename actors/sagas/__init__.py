"""The sagas that every launcher runs."""

from actors.saga import Saga
from actors.sagas.pool_fill import PoolRefill, PoolRespawnOnPromote
from actors.sagas.window_cleanup import WindowCleanupCascade

CORE_SAGAS: tuple[type[Saga], ...] = (PoolRespawnOnPromote, WindowCleanupCascade, PoolRefill)

__all__ = ["CORE_SAGAS", "PoolRefill", "PoolRespawnOnPromote", "WindowCleanupCascade"]
