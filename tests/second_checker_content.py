"""Invariants 3, 4 and 5, each as queries that give a message for every violation."""

CORRELATION = (
    """
    SELECT 'report ' || did.sequence || ' of ' || did.host || ' was refused, and is version '
        || event.version
    FROM did JOIN event ON event.host = did.host AND event.epoch = did.epoch
        AND event.sequence = did.sequence
    WHERE did.did = 'refused_by_launcher' AND NOT event.reconciled
    AND event.type NOT IN ('HostRegistered', 'HostLeft')
    """,
    # Only what a saga of the core can ask for carries its id.
    """
    SELECT 'version ' || event.version || ', ' || event.type || ', is of saga ' || event.saga
        || ' of ' || bracket.name
    FROM event JOIN bracket ON bracket.saga = event.saga
    WHERE event.type NOT IN ('SagaStarted', 'SagaCompleted', 'SagaFailed', 'ActionFailed')
    AND CASE bracket.name
        WHEN 'pool_respawn_on_promote' THEN event.type <> 'PoolWindowAdded'
        WHEN 'pool_refill' THEN event.type <> 'PoolWindowAdded'
        WHEN 'window_cleanup_cascade'
            THEN event.type NOT IN ('PanesReaped', 'PoolDrained', 'PoolNotLast')
        ELSE event.type IN ('HostRegistered', 'HostLeft', 'PoolDriftReported') END
    """,
    """
    SELECT 'version ' || event.version || ' of ' || event.host || ' is of saga ' || event.saga
        || ' of ' || owner.host
    FROM event JOIN bracket ON bracket.saga = event.saga JOIN owner ON owner.saga = event.saga
    WHERE event.host IS NOT NULL AND (event.host <> owner.host OR event.epoch <> owner.epoch)
    AND bracket.name IN ('pool_respawn_on_promote', 'window_cleanup_cascade', 'pool_refill')
    """,
    # The identity of the report is the one that its event has.
    """
    SELECT 'version ' || event.version || ' is of saga ' || event.saga
        || ', the report was not: ' || coalesce(did.saga, 'nil')
    FROM event JOIN did ON did.host = event.host AND did.epoch = event.epoch
        AND did.sequence = event.sequence AND did.did = 'report'
        AND did.type = 'Report' || event.type
    WHERE NOT event.reconciled AND event.saga IS NOT NULL AND did.saga IS NOT event.saga
    """,
    """
    SELECT 'version ' || event.version || ' is of saga ' || coalesce(event.saga, 'nil')
        || ', its report of saga ' || did.saga || ', which was open'
    FROM event JOIN did ON did.host = event.host AND did.epoch = event.epoch
        AND did.sequence = event.sequence AND did.did = 'report'
        AND did.type = 'Report' || event.type
    JOIN bracket ON bracket.saga = did.saga JOIN closed ON closed.saga = did.saga
    WHERE NOT event.reconciled AND event.saga IS NOT did.saga
    AND event.version > bracket.version AND event.version < closed.version
    AND (NOT EXISTS (SELECT 1 FROM log) OR did.log IN (SELECT log FROM log))
    """,
    """
    SELECT 'saga ' || closed.saga || ' was completed with ' || closed.result
        || ', and nothing of its own'
    FROM closed JOIN bracket ON bracket.saga = closed.saga
    WHERE closed.type = 'SagaCompleted' AND bracket.known = 'start'
    AND NOT EXISTS (SELECT 1 FROM event WHERE event.saga = closed.saga
        AND event.version > bracket.version AND event.version < closed.version
        AND CASE bracket.name
            WHEN 'pool_respawn_on_promote' THEN event.type = 'PoolWindowAdded'
            WHEN 'pool_refill' THEN event.type = 'PoolWindowAdded'
            WHEN 'window_cleanup_cascade' THEN event.type = CASE closed.result
                WHEN 'drained' THEN 'PoolDrained' WHEN 'not_last' THEN 'PoolNotLast' END
            ELSE 1 END)
    AND bracket.name IN ('pool_respawn_on_promote', 'window_cleanup_cascade', 'pool_refill')
    """,
    """
    SELECT 'saga ' || closed.saga || ' was completed and its panes were never reaped'
    FROM closed JOIN bracket ON bracket.saga = closed.saga
    WHERE closed.type = 'SagaCompleted' AND bracket.known = 'start'
    AND bracket.name = 'window_cleanup_cascade' AND NOT EXISTS (SELECT 1 FROM partial)
    AND NOT EXISTS (SELECT 1 FROM event WHERE event.saga = closed.saga
        AND event.type = 'PanesReaped' AND event.version < closed.version)
    """,
    """
    SELECT 'saga ' || bracket.saga || ' is of window ' || cause.label || ', version '
        || event.version || ' of ' || event.label
    FROM bracket JOIN event AS cause ON cause.version = bracket.cause
    JOIN event ON event.saga = bracket.saga
    WHERE bracket.name = 'window_cleanup_cascade' AND event.label <> cause.label
    AND event.type IN ('PanesReaped', 'PoolDrained', 'PoolNotLast')
    """,
    """
    SELECT 'saga ' || failure.saga || ' was completed though its host failed it'
    FROM event AS failure JOIN closed ON closed.saga = failure.saga
    JOIN bracket ON bracket.saga = failure.saga
    WHERE failure.type = 'ActionFailed' AND closed.type = 'SagaCompleted'
    AND failure.version < closed.version
    """,
)

DONE = (
    """
    SELECT 'saga ' || closed.saga || ' names ' || closed.result || ', its own window is '
        || coalesce(event.label, 'nil')
    FROM closed JOIN bracket ON bracket.saga = closed.saga
    JOIN event ON event.saga = closed.saga AND event.type = 'PoolWindowAdded'
    WHERE closed.type = 'SagaCompleted' AND event.label IS NOT closed.result
    AND bracket.name IN ('pool_respawn_on_promote', 'pool_refill')
    """,
    """
    SELECT 'saga ' || event.saga || ' got ' || count(*) || ' windows' FROM event
    JOIN bracket ON bracket.saga = event.saga
    WHERE event.type = 'PoolWindowAdded'
    AND bracket.name IN ('pool_respawn_on_promote', 'pool_refill')
    GROUP BY event.saga HAVING count(*) > 1
    """,
    """
    SELECT count(*) || ' sagas were completed with window ' || closed.result
    FROM closed JOIN bracket ON bracket.saga = closed.saga
    WHERE closed.type = 'SagaCompleted'
    AND bracket.name IN ('pool_respawn_on_promote', 'pool_refill')
    GROUP BY closed.result HAVING count(*) > 1
    """,
    # The host's own record, where there is one of the saga's epoch.
    """
    SELECT 'saga ' || closed.saga || ' names ' || closed.result || ', which '
        || owner.host || ' never had ready for it'
    FROM closed JOIN bracket ON bracket.saga = closed.saga JOIN owner ON owner.saga = closed.saga
    WHERE closed.type = 'SagaCompleted' AND bracket.known = 'start'
    AND bracket.name IN ('pool_respawn_on_promote', 'pool_refill')
    AND EXISTS (SELECT 1 FROM did WHERE did.host = owner.host AND did.epoch = owner.epoch)
    AND NOT EXISTS (SELECT 1 FROM did WHERE did.host = owner.host AND did.epoch = owner.epoch
        AND did.did = 'ready' AND did.label = closed.result AND did.saga = closed.saga)
    """,
    """
    SELECT 'saga ' || closed.saga || ' was completed before ' || closed.result || ' was ready'
    FROM closed JOIN bracket ON bracket.saga = closed.saga
    JOIN did ON did.saga = closed.saga AND did.label = closed.result AND did.did = 'ready'
    WHERE closed.type = 'SagaCompleted' AND did.at > closed.at
    AND bracket.name IN ('pool_respawn_on_promote', 'pool_refill')
    """,
    """
    SELECT 'step ' || step || ' of saga ' || saga || ' made ' || count(*) || ' windows' FROM did
    WHERE did = 'ready' AND saga IS NOT NULL GROUP BY log, saga, step HAVING count(*) > 1
    """,
    """
    SELECT 'step ' || step || ' of saga ' || saga || ' was executed ' || count(*) || ' times by '
        || host FROM did WHERE did = 'command' AND NOT repeated
    GROUP BY host, epoch, log, saga, step HAVING count(*) > 1
    """,
    """
    SELECT 'step ' || step || ' of saga ' || saga || ' was settled by ' || count(*)
        || ' reports of ' || host
    FROM (SELECT DISTINCT host, epoch, log, saga, step, sequence FROM did
        WHERE did = 'report' AND saga IS NOT NULL)
    GROUP BY host, epoch, log, saga, step HAVING count(*) > 1
    """,
    """
    SELECT 'window ' || label || ' became ready ' || count(*) || ' times' FROM did
    WHERE did = 'ready' AND label <> '' GROUP BY label HAVING count(*) > 1
    """,
    """
    SELECT 'version ' || event.version || ' came of a report after saga ' || event.saga
        || ' had ended, and has its id'
    FROM event JOIN closed ON closed.saga = event.saga
    WHERE event.host IS NOT NULL AND event.version > closed.version
    """,
)

WRITE_AHEAD = (
    """
    SELECT 'saga ' || saga || ' could not be made anew as it was' FROM closed
    WHERE type = 'SagaFailed' AND instr(reason, 'ReplayDisagreementError') > 0
    """,
    """
    SELECT 'the log has saga ' || saga_row.saga || ' ' || saga_row.state || ', version '
        || closed.version || ' is its ' || closed.type
    FROM saga_row JOIN closed ON closed.saga = saga_row.saga
    WHERE closed.type <> 'lapsed' AND saga_row.state <> CASE closed.type
        WHEN 'SagaCompleted' THEN 'completed' ELSE 'failed' END
    """,
    """
    SELECT 'the log has another end of saga ' || saga_row.saga || ' than version ' || closed.version
    FROM saga_row JOIN closed ON closed.saga = saga_row.saga
    WHERE (closed.type = 'SagaCompleted' AND saga_row.state = 'completed'
        AND saga_row.result IS NOT closed.result)
    OR (closed.type = 'SagaFailed' AND saga_row.state = 'failed'
        AND saga_row.failure IS NOT closed.reason)
    """,
    """
    SELECT 'the log has saga ' || saga_row.saga || ' ' || saga_row.state || ', its bracket is open'
    FROM saga_row JOIN bracket ON bracket.saga = saga_row.saga
    WHERE saga_row.state <> 'open' AND saga_row.saga NOT IN (SELECT saga FROM closed)
    """,
    """
    SELECT 'the log has another name or cause of saga ' || saga_row.saga
    FROM saga_row JOIN bracket ON bracket.saga = saga_row.saga
    WHERE saga_row.name <> bracket.name
    OR (bracket.known = 'start' AND saga_row.cause IS NOT bracket.cause)
    """,
    # The oldest ends are forgotten first.
    """
    SELECT 'the log has no row of saga ' || bracket.saga
    FROM bracket LEFT JOIN closed ON closed.saga = bracket.saga
    WHERE EXISTS (SELECT 1 FROM log) AND bracket.known <> 'begins'
    AND bracket.saga NOT IN (SELECT saga FROM saga_row)
    AND (closed.saga IS NULL OR closed.version > (SELECT min(kept.version) FROM closed AS kept
        JOIN saga_row ON saga_row.saga = kept.saga))
    """,
    """
    SELECT 'saga ' || saga_row.saga || ' is in the log and was never published'
    FROM saga_row WHERE NOT EXISTS (SELECT 1 FROM partial) AND EXISTS (SELECT 1 FROM event)
    AND saga_row.saga NOT IN (SELECT saga FROM bracket)
    """,
    """
    SELECT 'step ' || step_row.step || ' of saga ' || step_row.saga || ', which is '
        || saga_row.state || ', is ' || step_row.state
    FROM step_row JOIN saga_row ON saga_row.saga = step_row.saga
    WHERE (saga_row.state <> 'open' AND step_row.state = 'awaited')
    OR (saga_row.state = 'completed' AND step_row.state <> 'settled')
    """,
    """
    SELECT did.host || ' was sent step ' || did.step || ' of saga ' || did.saga || ', ' || did.type
        || ', which the log does not have'
    FROM did JOIN saga_row ON saga_row.saga = did.saga
    WHERE did.did = 'command' AND did.log IN (SELECT log FROM log)
    AND NOT EXISTS (SELECT 1 FROM step_row WHERE step_row.saga = did.saga
        AND step_row.step = did.step AND step_row.command = did.type)
    """,
    """
    SELECT did.host || ' was sent a step of saga ' || did.saga || ', which never started'
    FROM did WHERE did.did = 'command' AND NOT EXISTS (SELECT 1 FROM partial)
    AND EXISTS (SELECT 1 FROM event) AND did.saga NOT IN (SELECT saga FROM bracket)
    AND (NOT EXISTS (SELECT 1 FROM log) OR did.log IN (SELECT log FROM log))
    """,
    """
    SELECT 'version ' || max(event.version) || ' was published, the log ends at ' || log.version
    FROM event JOIN log GROUP BY log.version HAVING max(event.version) > log.version
    """,
    # On a link without a fault nothing is under way for 5 s.
    """
    SELECT did.host || ' was sent step ' || did.step || ' of saga ' || did.saga
        || ' while the log was out'
    FROM outage AS began JOIN finish JOIN did ON did.at > began.at + 5000000000
        AND did.at < coalesce((SELECT min(at) FROM outage AS ended
            WHERE ended.did = 'ended' AND ended.at >= began.at), finish.at + 1)
    JOIN faultless ON faultless.host = did.host
    WHERE began.did = 'began' AND did.did = 'command' AND NOT did.repeated
    """,
    # What a host reported in an outage, and all that has a later version, waits for its end.
    """
    SELECT 'version ' || event.version || ' was published while the log was out'
    FROM outage AS began JOIN finish
    JOIN event ON event.at > began.at AND event.at < coalesce((SELECT min(at) FROM outage AS ended
        WHERE ended.did = 'ended' AND ended.at >= began.at), finish.at + 1)
    WHERE began.did = 'began' AND event.version >= (SELECT min(cause.version)
        FROM event AS cause JOIN did ON did.did = 'report' AND did.host = cause.host
        AND did.epoch = cause.epoch AND did.sequence = cause.sequence
        WHERE did.at > began.at AND NOT cause.reconciled)
    """,
)
