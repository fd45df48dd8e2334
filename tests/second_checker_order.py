"""Invariants 1, 2, 6, 7 and 9, each as queries that give a message for every violation."""

BRACKETS = (
    """
    SELECT 'saga ' || saga || ' is open at the end' FROM bracket
    WHERE saga NOT IN (SELECT saga FROM closed)
    """,
    """
    SELECT 'saga ' || saga || ' has ' || count(*) || ' terminals' FROM terminal
    GROUP BY saga HAVING count(*) > 1
    """,
    """
    SELECT 'version ' || version || ' closes saga ' || coalesce(saga, 'nil')
        || ', which never started'
    FROM terminal WHERE saga IS NULL OR saga NOT IN (SELECT saga FROM bracket)
    """,
    # Some time of full length in which the launcher was there and the log could be written.
    """
    SELECT DISTINCT 'saga ' || bracket.saga || ' of ' || bracket.name || ' was not closed in time'
    FROM bracket JOIN allowed ON allowed.name = bracket.name
    JOIN finish LEFT JOIN closed ON closed.saga = bracket.saga
    JOIN (SELECT at FROM anchor UNION SELECT at FROM bracket) AS since
        ON since.at = bracket.at OR (since.at > bracket.at AND since.at IN (SELECT at FROM anchor))
    WHERE bracket.known <> 'begins'
    AND since.at + allowed.ns + 10000000000 < coalesce(closed.at, finish.at)
    AND NOT EXISTS (SELECT 1 FROM interruption WHERE interruption.at > since.at
        AND interruption.at <= since.at + allowed.ns + 10000000000)
    AND coalesce((SELECT did FROM process WHERE name = 'launcher' AND at <= since.at
        ORDER BY at DESC, n DESC LIMIT 1), 'started') IN ('started', 'continued')
    AND coalesce((SELECT did FROM outage WHERE at <= since.at
        ORDER BY at DESC, n DESC LIMIT 1), 'ended') = 'ended'
    """,
    """
    -- It began after whatever was reported before it.
    SELECT 'saga ' || closed.saga || ' failed: ' || closed.reason || '; a launcher had begun only '
        || (closed.at - anew.at) / 1000000 || ' ms before to go on with it'
    FROM closed JOIN bracket ON bracket.saga = closed.saga
    JOIN process AS anew ON anew.name = 'launcher' AND anew.did = 'started'
        AND anew.at > bracket.at AND closed.at BETWEEN anew.at AND anew.at + 4500000000 - 1
    WHERE closed.type = 'SagaFailed' AND closed.reason IN ('saga timeout', 'host unreachable')
    AND bracket.known = 'start'
    AND (SELECT count(*) FROM (SELECT at FROM process WHERE name = 'launcher' AND did = 'started'
            UNION ALL SELECT at FROM fault WHERE target = 'launcher') AS disturbed
        WHERE disturbed.at <= closed.at AND disturbed.at > coalesce((SELECT max(did.at)
            FROM event AS former JOIN did ON did.did = 'report' AND did.host = former.host
            AND did.epoch = former.epoch AND did.sequence = former.sequence
            WHERE former.version < bracket.version), 0)) <= 3
    """,
    """
    SELECT 'promote at version ' || event.version || ' started ' || count(started.version)
        || ' respawns'
    FROM event LEFT JOIN event AS started ON started.type = 'SagaStarted'
        AND started.cause = event.version AND started.name = 'pool_respawn_on_promote'
    WHERE event.type = 'PoolWindowPromoted'
    GROUP BY event.version HAVING count(started.version) <> 1
    """,
    """
    SELECT 'close at version ' || event.version || ' started ' || count(started.version)
        || ' cleanups'
    FROM event LEFT JOIN event AS started ON started.type = 'SagaStarted'
        AND started.cause = event.version AND started.name = 'window_cleanup_cascade'
    WHERE event.type = 'WindowClosed' AND NOT event.crash AND NOT event.reconciled
    GROUP BY event.version HAVING count(started.version) <> 1
    """,
    """
    SELECT 'saga ' || started.saga || ' of ' || started.name || ' was started by '
        || coalesce(cause.type, 'nothing')
    FROM event AS started LEFT JOIN event AS cause ON cause.version = started.cause
    WHERE started.type = 'SagaStarted'
    AND (cause.version IS NOT NULL OR started.cause IS NULL)
    AND CASE started.name
        WHEN 'pool_respawn_on_promote' THEN cause.type IS NOT 'PoolWindowPromoted'
        WHEN 'window_cleanup_cascade' THEN cause.type IS NOT 'WindowClosed'
            OR cause.crash OR cause.reconciled
        WHEN 'pool_refill' THEN started.cause IS NOT NULL
        ELSE 0 END
    """,
    # A user's promote that the launcher never heard of, though its host lived on.
    """
    SELECT 'promote ' || did.promote || ' on ' || did.host || ' has no bracket'
    FROM did LEFT JOIN epoch_over AS over ON over.host = did.host AND over.epoch = did.epoch
    WHERE did.did = 'promoted' AND NOT did.cold AND over.at IS NULL
    AND NOT EXISTS (SELECT 1 FROM partial WHERE partial.at >= did.at)
    AND EXISTS (SELECT 1 FROM event)
    AND NOT EXISTS (SELECT 1 FROM event WHERE event.type = 'PoolWindowPromoted'
        AND event.promote = did.promote AND event.host = did.host)
    """,
    """
    SELECT 'the close of ' || did.label || ' on ' || did.host || ' was never told'
    FROM did LEFT JOIN epoch_over AS over ON over.host = did.host AND over.epoch = did.epoch
    WHERE did.did = 'closed' AND over.at IS NULL
    AND NOT EXISTS (SELECT 1 FROM partial WHERE partial.at >= did.at)
    AND EXISTS (SELECT 1 FROM event)
    AND NOT EXISTS (SELECT 1 FROM event WHERE event.type = 'WindowClosed'
        AND event.label = did.label AND event.host = did.host)
    """,
    # Each observer's own: it had the start, or was told that the bracket was open.
    """
    SELECT seen.observer || ' was told the end of saga ' || seen.saga || ', and not of its start'
    FROM seen WHERE seen.type IN ('SagaCompleted', 'SagaFailed')
    AND NOT EXISTS (SELECT 1 FROM seen AS start WHERE start.observer = seen.observer
        AND start.life BETWEEN (SELECT since FROM memory WHERE memory.observer = seen.observer
            AND memory.life = seen.life) AND seen.life
        AND start.type = 'SagaStarted' AND start.saga = seen.saga)
    AND NOT EXISTS (SELECT 1 FROM open_at JOIN (SELECT n, observer, life FROM truncated
            UNION ALL SELECT n, observer, life FROM begins) AS joined ON joined.n = open_at.n
        WHERE joined.observer = seen.observer
        AND joined.life BETWEEN (SELECT since FROM memory WHERE memory.observer = seen.observer
            AND memory.life = seen.life) AND seen.life
        AND open_at.saga = seen.saga)
    """,
)

ORDER = (
    """
    SELECT 'version ' || event.version || ' is of saga ' || event.saga || ', which '
        || CASE WHEN bracket.saga IS NULL THEN 'never started'
           ELSE 'starts at version ' || bracket.version END
    FROM event LEFT JOIN bracket ON bracket.saga = event.saga
    WHERE event.saga IS NOT NULL AND event.type NOT IN ('SagaStarted')
    AND (bracket.saga IS NULL OR event.version < bracket.version)
    """,
    """
    SELECT 'version ' || event.version || ' is of saga ' || event.saga
        || ', which ended at version ' || closed.version
    FROM event JOIN closed ON closed.saga = event.saga
    WHERE event.version > closed.version
    AND event.type NOT IN ('SagaStarted', 'SagaCompleted', 'SagaFailed')
    """,
    """
    SELECT 'saga ' || saga || ' starts at version ' || version || ', before its cause '
        || cause FROM event WHERE type = 'SagaStarted' AND cause >= version
    """,
    # As each observer was handed it, whatever the versions say.
    """
    SELECT DISTINCT 'observer ' || other.observer || ' had version ' || other.version || ' of saga '
        || other.saga || ' before its start'
    FROM seen AS other JOIN seen AS started ON started.type = 'SagaStarted'
        AND started.saga = other.saga AND started.observer = other.observer
        AND started.life = other.life
    WHERE other.type <> 'SagaStarted' AND other.n < started.n
    AND NOT EXISTS (SELECT 1 FROM seen AS first WHERE first.type = 'SagaStarted'
        AND first.saga = other.saga AND first.observer = other.observer AND first.n < other.n)
    """,
)

IDS = (
    """
    SELECT 'there are ' || number || ' logs' FROM (SELECT count(*) AS number FROM (
        SELECT log FROM did WHERE log IS NOT NULL UNION SELECT log FROM log)) WHERE number > 1
    """,
    """
    SELECT 'version ' || version || ' has saga id ' || saga FROM event WHERE saga <= 0
    """,
    """
    SELECT 'saga ' || saga || ' has ' || count(*) || ' starts' FROM event
    WHERE type = 'SagaStarted' GROUP BY saga HAVING count(*) > 1
    """,
    """
    SELECT 'saga ' || saga || ' starts after saga ' || before FROM (
        SELECT saga, max(saga) OVER (ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING
            AND 1 PRECEDING) AS before
        FROM event WHERE type = 'SagaStarted') WHERE saga <= before
    """,
    """
    SELECT 'a saga starts with nil for its id at version ' || version FROM event
    WHERE type = 'SagaStarted' AND saga IS NULL
    """,
    """
    SELECT 'saga ' || event.saga || ' was open already where the history begins'
    FROM event JOIN begins ON event.version > begins.after
    JOIN open_at ON open_at.n = begins.n AND event.saga <= open_at.saga
    WHERE event.type = 'SagaStarted'
    """,
    """
    SELECT 'saga ' || used.saga || ' exists and the next id is ' || log.next_saga
    FROM log JOIN (SELECT saga FROM bracket UNION SELECT saga FROM saga_row) AS used
    ON used.saga >= log.next_saga
    """,
    """
    SELECT 'the log has ' || count(*) || ' rows of saga ' || saga FROM saga_row
    GROUP BY saga HAVING count(*) > 1
    """,
)

VERSIONS = (
    # What an observer was handed or told: each goes on exactly where the one before ended.
    """
    SELECT 'observer ' || observer || ': version ' || first || ' came where ' || due || ' was due'
    FROM (
        SELECT observer, first, exact,
            coalesce(lag(next) OVER (PARTITION BY observer, life ORDER BY n), 1) AS due,
            row_number() OVER (PARTITION BY observer, life ORDER BY n) AS nth, life
        FROM (
            SELECT n, observer, life, version AS first, version + 1 AS next, 1 AS exact FROM seen
            UNION ALL
            SELECT n, observer, life, before, before, 0 FROM truncated
            UNION ALL
            SELECT n, observer, life, after + 1, after + 1, 0 FROM begins))
    WHERE (exact AND first <> due AND NOT (nth = 1 AND life > 1))
        OR (NOT exact AND first <= due AND nth > 1)
    """,
    """
    SELECT 'version ' || version || ' is not the same to all' FROM seen
    GROUP BY version HAVING count(DISTINCT body) > 1
    """,
    """
    SELECT 'observer ' || observer || ' ends at version ' || last || ' of '
        || (SELECT max(version) FROM event)
    FROM (SELECT observer, max(version) AS last FROM seen GROUP BY observer)
    WHERE last < (SELECT max(version) FROM event)
    AND coalesce((SELECT did FROM process WHERE name = observer ORDER BY at DESC, n DESC LIMIT 1),
        'started') IN ('started', 'continued')
    """,
    """
    SELECT 'the log ends at version ' || log.version || ', the observers at '
        || (SELECT max(version) FROM event)
    FROM log WHERE log.version > (SELECT max(version) FROM event)
    """,
    """
    SELECT 'the journal goes on at version ' || first || ' after version ' || before FROM (
        SELECT first, lag(last) OVER (ORDER BY n) AS before FROM journal)
    WHERE first <> before + 1
    """,
    """
    SELECT 'the journal has versions ' || first || ' to ' || last FROM journal WHERE last < first
    """,
    """
    SELECT 'the journal ends at version ' || max(journal.last) || ', the log at ' || log.version
    FROM journal JOIN log GROUP BY log.version HAVING max(journal.last) <> log.version
    """,
    """
    SELECT 'report ' || sequence || ' of ' || host || ' gave ' || count(*) || ' events'
    FROM event WHERE sequence > 0 AND NOT reconciled AND type NOT IN ('HostLeft', 'HostRegistered')
    AND type IN ('PoolWindowAdded', 'PoolWindowRemoved', 'PoolWindowPromoted', 'WindowOpened',
                 'WindowClosed', 'PanesReaped', 'PoolDrained', 'PoolNotLast', 'ActionFailed')
    GROUP BY host, epoch, sequence HAVING count(*) > 1
    """,
)

LIVENESS = (
    """
    SELECT 'saga ' || bracket.saga || ' of ' || owner.host || ', which had no fault, '
        || CASE WHEN closed.type = 'SagaFailed' THEN 'failed: ' || closed.reason
           ELSE 'missed its deadline' END
    FROM bracket JOIN owner ON owner.saga = bracket.saga
    JOIN faultless ON faultless.host = owner.host
    JOIN allowed ON allowed.name = bracket.name JOIN finish
    LEFT JOIN closed ON closed.saga = bracket.saga
    WHERE bracket.known = 'start'
    AND bracket.name IN ('pool_respawn_on_promote', 'window_cleanup_cascade', 'pool_refill')
    AND (coalesce(closed.at, finish.at) - bracket.at > allowed.ns + 5000000000
        OR (closed.type = 'SagaFailed' AND closed.reason IN ('saga timeout', 'host unreachable',
            'host pipe backpressure overflow')))
    AND NOT EXISTS (SELECT 1 FROM trouble WHERE trouble.at <= coalesce(closed.at, finish.at)
        AND coalesce(trouble.until, finish.at) >= bracket.at)
    """,
    # Whatever was lost has long been sent again: the host has the step, or the saga has its answer.
    """
    SELECT 'saga ' || closed.saga || ' failed: ' || closed.reason || ', in peace, and no host had '
        || 'anything of it to answer'
    FROM closed JOIN event AS ended ON ended.version = closed.version
    WHERE closed.type = 'SagaFailed' AND closed.reason IN ('saga timeout', 'host unreachable')
    AND EXISTS (SELECT 1 FROM did WHERE did = 'command')
    AND NOT EXISTS (SELECT 1 FROM unrest WHERE n < ended.n AND at > closed.at - 4000000000)
    AND NOT EXISTS (SELECT 1 FROM absence WHERE did IN ('killed', 'ended', 'stopped')
        AND n < ended.n AND coalesce(back, ended.n) >= ended.n)
    AND NOT EXISTS (SELECT 1 FROM fault WHERE did = 'began' AND n < ended.n AND NOT EXISTS (
        SELECT 1 FROM fault AS over WHERE over.did = 'ended' AND over.fault = fault.fault
        AND over.target = fault.target AND over.n > fault.n AND over.n < ended.n))
    AND coalesce((SELECT did FROM outage WHERE n < ended.n ORDER BY n DESC LIMIT 1), 'ended')
        = 'ended'
    AND NOT EXISTS (SELECT 1 FROM did WHERE did.saga = closed.saga AND did.n < ended.n
        AND (did.did = 'unanswered' OR (did.did = 'command' AND NOT did.repeated
            AND NOT EXISTS (SELECT 1 FROM did AS answer WHERE answer.did = 'report'
                AND answer.saga = did.saga AND answer.step = did.step AND answer.host = did.host
                AND answer.n < ended.n))))
    """,
)
