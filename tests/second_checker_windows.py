"""Invariant 8, event by event: no event says of a window what cannot be true of it then."""

WINDOWS = (
    # A window is added, removed and opened, and closed; one that is open may be added again.
    """
    SELECT 'version ' || version || ', ' || type || ' of ' || label || ', follows '
        || coalesce(former, 'nothing')
    FROM (SELECT version, type, label, lag(type) OVER (PARTITION BY host, epoch, label
            ORDER BY version) AS former
        FROM event WHERE type IN ('PoolWindowAdded', 'PoolWindowRemoved', 'WindowOpened',
            'WindowClosed'))
    WHERE NOT EXISTS (SELECT 1 FROM partial) AND CASE type
        WHEN 'PoolWindowAdded' THEN former <> 'WindowOpened'
        WHEN 'PoolWindowRemoved' THEN former IS NOT 'PoolWindowAdded'
        WHEN 'WindowOpened' THEN former <> 'PoolWindowRemoved'
        WHEN 'WindowClosed' THEN former IS NOT 'WindowOpened' END
    """,
    """
    SELECT 'version ' || over.version || ', ' || over.type || ', leaves ' || placed.label
        || ' of ' || over.host
    FROM event AS over JOIN event AS placed ON placed.host = over.host
        AND placed.epoch = over.epoch AND placed.version < over.version
    WHERE (over.type = 'PoolDrained' AND placed.type = 'PoolWindowAdded'
        OR over.type = 'HostLeft' AND placed.type IN ('PoolWindowAdded', 'WindowOpened'))
    AND NOT EXISTS (SELECT 1 FROM partial)
    AND NOT EXISTS (SELECT 1 FROM event AS later WHERE later.label = placed.label
        AND later.host = placed.host AND later.epoch = placed.epoch
        AND later.version > placed.version AND later.version < over.version
        AND later.type IN ('PoolWindowRemoved', 'WindowOpened', 'WindowClosed'))
    """,
    """
    SELECT 'version ' || event.version || ' opens ' || event.label
        || ', which was not promoted for it'
    FROM event WHERE event.type = 'WindowOpened' AND NOT event.reconciled
    AND NOT coalesce(json_extract(event.body, '$.cold'), 0)
    AND NOT EXISTS (SELECT 1 FROM partial)
    AND NOT EXISTS (SELECT 1 FROM event AS promoted WHERE promoted.type = 'PoolWindowPromoted'
        AND promoted.label = event.label AND promoted.host = event.host
        AND promoted.promote = event.promote AND promoted.version < event.version)
    """,
    # As the host itself told what came into its pool, and what left it.
    """
    SELECT 'the pool of ' || held.host || ' held ' || max(held.size) || ' windows, not '
        || registered.target || ' and 2'
    FROM (SELECT host, epoch, sum(CASE did
            WHEN 'ready' THEN saga IS NOT NULL WHEN 'demoted' THEN 1
            WHEN 'promoted' THEN cold - 1 WHEN 'drained' THEN -labels
            ELSE -1 END) OVER (PARTITION BY host, epoch ORDER BY n) AS size FROM did
        WHERE did IN ('ready', 'demoted', 'promoted', 'drained', 'died', 'vanished')) AS held
    JOIN event AS registered ON registered.type = 'HostRegistered'
        AND registered.host = held.host AND registered.epoch = held.epoch
    GROUP BY held.host, held.epoch HAVING max(held.size) > registered.target + 2
    """,
    # A drift names something that no earlier one did, or that was spoken of since.
    """
    SELECT 'version ' || drift.version || ' tells a drift of ' || drift.host || ' again'
    FROM event AS drift WHERE drift.type = 'PoolDriftReported'
    AND EXISTS (SELECT 1 FROM drifted WHERE drifted.version = drift.version)
    AND NOT EXISTS (SELECT 1 FROM drifted WHERE drifted.version = drift.version
        AND NOT EXISTS (SELECT 1 FROM drifted AS before WHERE before.label = drifted.label
            AND before.host = drift.host AND before.epoch = drift.epoch
            AND before.version < drift.version
            AND NOT EXISTS (SELECT 1 FROM event AS since WHERE since.label = drifted.label
                AND since.host = drift.host AND since.epoch = drift.epoch
                AND since.version > before.version AND since.version < drift.version)))
    """,
)
