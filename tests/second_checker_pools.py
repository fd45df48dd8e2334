"""Invariant 8, as queries that give a message for every violation."""

POOL = (
    """
    SELECT 'version ' || drained.version || ' drains the pool of ' || drained.host || ', where '
        || event.label || ' is open'
    FROM event AS drained JOIN event ON event.host = drained.host AND event.epoch = drained.epoch
        AND event.type = 'WindowOpened' AND event.version < drained.version
    WHERE drained.type = 'PoolDrained' AND NOT EXISTS (SELECT 1 FROM partial)
    AND NOT EXISTS (SELECT 1 FROM event AS later WHERE later.host = event.host
        AND later.label = event.label AND later.version > event.version
        AND later.version < drained.version
        AND later.type IN ('WindowClosed', 'PoolWindowAdded', 'PoolWindowRemoved'))
    """,
    """
    SELECT 'epoch ' || epoch || ' of ' || host || ' registered ' || count(*) || ' times' FROM event
    WHERE type = 'HostRegistered' GROUP BY host, epoch HAVING count(*) > 1
    """,
    # A refill is for a window that is lacking and that nothing brings.
    """
    SELECT 'saga ' || refill.saga || ' refills the pool of ' || refill.host || ', which has '
        || refill.size || ' of ' || refill.target || ', and ' || refill.coming || ' coming'
    FROM (SELECT bracket.saga, owner.host, registered.target,
        CASE (SELECT event.type || coalesce(json_extract(event.body, '$.drained'), 0) FROM event
            WHERE event.host = owner.host
            AND event.epoch = owner.epoch AND event.version < bracket.version
            AND event.type IN ('HostRegistered', 'PoolDrained', 'WindowOpened', 'HostLeft')
            ORDER BY event.version DESC LIMIT 1)
            WHEN 'PoolDrained0' THEN 1 WHEN 'HostLeft0' THEN 1 WHEN 'HostRegistered1' THEN 1
            ELSE 0 END AS waived,
        (SELECT coalesce(sum(CASE event.type WHEN 'PoolWindowAdded' THEN 1 ELSE -1 END), 0)
            FROM event WHERE event.host = owner.host AND event.epoch = owner.epoch
            AND event.version < bracket.version
            AND event.type IN ('PoolWindowAdded', 'PoolWindowRemoved')) AS size,
        (SELECT count(*) FROM bracket AS other JOIN owner AS its ON its.saga = other.saga
            LEFT JOIN closed ON closed.saga = other.saga
            WHERE its.host = owner.host AND its.epoch = owner.epoch
            AND other.name IN ('pool_respawn_on_promote', 'pool_refill')
            AND other.version < bracket.version
            AND coalesce(closed.version, bracket.version + 1) > bracket.version) AS coming
        FROM bracket JOIN owner ON owner.saga = bracket.saga
        JOIN event AS registered ON registered.type = 'HostRegistered'
            AND registered.host = owner.host AND registered.epoch = owner.epoch
        WHERE bracket.name = 'pool_refill' AND bracket.known = 'start'
        AND NOT EXISTS (SELECT 1 FROM partial)) AS refill
    WHERE refill.waived OR refill.size + refill.coming >= refill.target OR refill.coming >= 64
    """,
    """
    SELECT 'version ' || version || ', ' || type || ', has an empty label' FROM event
    WHERE label = '' OR (type IN ('PoolWindowAdded', 'PoolWindowRemoved', 'PoolWindowPromoted',
        'WindowOpened', 'WindowClosed') AND label IS NULL)
    """,
    """
    SELECT host || ' had a window without a label' FROM did
    WHERE did IN ('ready', 'promoted', 'demoted', 'closed') AND coalesce(label, '') = ''
    """,
    """
    SELECT 'saga ' || closed.saga || ' was completed with no label'
    FROM closed JOIN bracket ON bracket.saga = closed.saga
    WHERE closed.type = 'SagaCompleted' AND coalesce(closed.result, '') = ''
    AND bracket.name IN ('pool_respawn_on_promote', 'pool_refill')
    """,
    """
    SELECT host || ' has an empty label in its ' || place FROM held WHERE label = ''
    """,
    # Both ways, label by label.
    """
    SELECT 'the mirror has ' || mirror.label || ' of ' || mirror.host || ' in place '
        || mirror.place || ', its host has not'
    FROM mirror JOIN host_end ON host_end.host = mirror.host AND host_end.epoch = mirror.epoch
    WHERE mirror.place IS NOT NULL AND NOT EXISTS (SELECT 1 FROM held WHERE held.host = mirror.host
        AND held.epoch = mirror.epoch AND held.label = mirror.label AND held.place = mirror.place)
    """,
    """
    SELECT held.host || ' has ' || held.label || ' in place ' || held.place
        || ', the mirror has not'
    FROM held WHERE EXISTS (SELECT 1 FROM event) AND NOT EXISTS (SELECT 1 FROM mirror
        WHERE mirror.host = held.host AND mirror.epoch = held.epoch AND mirror.label = held.label
        AND mirror.place IS held.place)
    AND (NOT EXISTS (SELECT 1 FROM partial)
        OR EXISTS (SELECT 1 FROM current WHERE current.host = held.host))
    """,
    """
    SELECT host_end.host || ' lives on as ' || host_end.epoch || ', the mirror has '
        || current.epoch
    FROM host_end JOIN current ON current.host = host_end.host
    WHERE current.epoch <> host_end.epoch
    """,
    """
    SELECT host_end.host || ' has ' || count(held.label) || ' windows in its pool at the end, not '
        || host_end.target
    FROM host_end JOIN last_fault LEFT JOIN held ON held.host = host_end.host
        AND held.epoch = host_end.epoch AND held.place = 'pool'
    WHERE NOT host_end.drained AND last_fault.at IS NOT NULL
    GROUP BY host_end.host, host_end.epoch HAVING count(held.label) < host_end.target
    """,
    # In the minute after the last fault, or after the epoch's start, there was no moment at which
    # the pool was whole.
    """
    SELECT 'the pool of ' || registered.host || ' was short for 60 s after the last fault'
    FROM current AS registered JOIN last_fault JOIN finish
    WHERE last_fault.at IS NOT NULL
    AND finish.at > max(last_fault.at, registered.at) + 60000000000
    AND NOT EXISTS (SELECT 1 FROM epoch_over AS over WHERE over.host = registered.host
        AND over.epoch = registered.epoch
        AND over.at <= max(last_fault.at, registered.at) + 60000000000)
    AND NOT EXISTS (SELECT 1 FROM pool_state WHERE pool_state.host = registered.host
        AND pool_state.at <= max(last_fault.at, registered.at) + 60000000000
        AND (pool_state.waived OR pool_state.size >= pool_state.target)
        AND pool_state.version >= coalesce((SELECT max(version) FROM pool_state AS former
            WHERE former.host = registered.host
            AND former.at <= max(last_fault.at, registered.at)), 0))
    """,
    """
    SELECT 'version ' || event.version || ' tells of ' || event.label || ', which ' || event.host
        || ' did not report'
    FROM event WHERE event.type IN ('PoolWindowAdded', 'PoolWindowRemoved', 'PoolWindowPromoted',
        'WindowOpened', 'WindowClosed') AND NOT event.reconciled AND event.sequence > 0
    AND EXISTS (SELECT 1 FROM did WHERE did.host = event.host AND did.epoch = event.epoch
        AND did.sequence IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM did WHERE did.did = 'report' AND did.host = event.host
        AND did.epoch = event.epoch AND did.sequence = event.sequence
        AND did.type = 'Report' || event.type AND did.label IS event.label)
    """,
)
