"""The tables and views over which the second checker states the invariants."""

TABLES = """
-- Every event line; `life` counts the starts of that observer's process up to it.
CREATE TABLE seen (
    n INTEGER PRIMARY KEY, at INTEGER, observer TEXT, life INTEGER, version INTEGER, type TEXT,
    saga INTEGER, host TEXT, epoch TEXT, sequence INTEGER, label TEXT, name TEXT, cause INTEGER,
    result TEXT, reason TEXT, promote TEXT, crash INTEGER, reconciled INTEGER, target INTEGER,
    body TEXT);
CREATE TABLE truncated (n INTEGER PRIMARY KEY, at INTEGER, observer TEXT, life INTEGER,
    before INTEGER);
CREATE TABLE begins (n INTEGER PRIMARY KEY, at INTEGER, observer TEXT, life INTEGER,
    after INTEGER);
CREATE TABLE open_at (n INTEGER, kind TEXT, at INTEGER, saga INTEGER, name TEXT);
CREATE TABLE did (
    n INTEGER PRIMARY KEY, at INTEGER, host TEXT, epoch TEXT, did TEXT, label TEXT, promote TEXT,
    cold INTEGER, log TEXT, saga INTEGER, step INTEGER, type TEXT, sequence INTEGER,
    repeated INTEGER, labels INTEGER);
CREATE TABLE host_end (host TEXT, epoch TEXT, at INTEGER, target INTEGER, drained INTEGER);
CREATE TABLE held (host TEXT, epoch TEXT, place TEXT, label TEXT);
CREATE TABLE process (n INTEGER PRIMARY KEY, at INTEGER, name TEXT, did TEXT);
CREATE TABLE fault (n INTEGER PRIMARY KEY, at INTEGER, fault TEXT, target TEXT, did TEXT);
CREATE TABLE outage (n INTEGER PRIMARY KEY, at INTEGER, did TEXT);
CREATE TABLE allowed (name TEXT PRIMARY KEY, ns INTEGER);
CREATE TABLE saga_row (saga INTEGER, name TEXT, state TEXT, host TEXT, epoch TEXT, cause INTEGER,
    result TEXT, failure TEXT);
CREATE TABLE step_row (saga INTEGER, step INTEGER, command TEXT, state TEXT);
CREATE TABLE log (log TEXT, version INTEGER, next_saga INTEGER);
CREATE TABLE journal (n INTEGER PRIMARY KEY AUTOINCREMENT, first INTEGER, last INTEGER);
CREATE TABLE moment (at INTEGER);
"""

DERIVED = """
CREATE INDEX seen_by_observer ON seen (observer, life, n);
CREATE INDEX seen_by_version ON seen (version);
CREATE INDEX did_by_report ON did (host, epoch, sequence);
CREATE INDEX did_by_saga ON did (saga);

-- Each version once, as the first who saw it saw it.
CREATE TABLE event AS SELECT *, min(at) AS first_at FROM seen GROUP BY version;
CREATE UNIQUE INDEX event_by_version ON event (version);
CREATE INDEX event_by_saga ON event (saga, version);
CREATE INDEX event_by_cause ON event (cause);
CREATE INDEX event_by_label ON event (label);

CREATE TABLE drifted AS
SELECT event.version, event.host, event.epoch, each.value AS label
FROM event, json_each(json_extract(event.body, '$.missing')) AS each
WHERE event.type = 'PoolDriftReported' UNION ALL
SELECT event.version, event.host, event.epoch, each.value
FROM event, json_each(json_extract(event.body, '$.surplus')) AS each
WHERE event.type = 'PoolDriftReported';

-- Where nobody had everything, for a reason that the history itself gives.
CREATE VIEW partial AS SELECT at FROM (SELECT at FROM truncated UNION ALL SELECT at FROM begins)
WHERE (SELECT count(*) < max(version) FROM event);

CREATE TABLE bracket AS
SELECT saga, name, cause, min(version) AS version, at, 'start' AS known
FROM event WHERE type = 'SagaStarted' AND saga IS NOT NULL GROUP BY saga;
INSERT INTO bracket
SELECT saga, name, NULL, 0, min(at), max(kind) FROM open_at
WHERE saga NOT IN (SELECT saga FROM bracket) GROUP BY saga;
CREATE UNIQUE INDEX bracket_by_saga ON bracket (saga);

CREATE VIEW terminal AS
SELECT version, at, saga, type, result, reason FROM event
WHERE type IN ('SagaCompleted', 'SagaFailed');

-- A bracket that the observer was told is no longer open, though its terminal cannot be had.
CREATE TABLE lapse AS
SELECT bracket.saga, min(truncated.at) AS at FROM bracket JOIN truncated
ON truncated.before > bracket.version AND truncated.at >= bracket.at
AND NOT EXISTS (SELECT 1 FROM open_at WHERE open_at.n = truncated.n
                AND open_at.saga = bracket.saga)
GROUP BY bracket.saga;

CREATE TABLE closed AS
SELECT saga, min(version) AS version, type, result, reason, at FROM terminal
WHERE saga IS NOT NULL GROUP BY saga;
INSERT INTO closed
SELECT saga, NULL, 'lapsed', NULL, NULL, at FROM lapse
WHERE saga NOT IN (SELECT saga FROM closed);
CREATE UNIQUE INDEX closed_by_saga ON closed (saga);

-- Whose saga it is: by the log, else by its trigger, else by the host that was commanded.
CREATE TABLE owner AS
SELECT bracket.saga,
    coalesce(row.host, trigger_event.host, commanded.host) AS host,
    coalesce(row.epoch, trigger_event.epoch, commanded.epoch) AS epoch
FROM bracket
LEFT JOIN saga_row AS row ON row.saga = bracket.saga AND row.host IS NOT NULL
LEFT JOIN event AS trigger_event ON trigger_event.version = bracket.cause
LEFT JOIN (SELECT saga, host, epoch, min(n) FROM did WHERE did = 'command' GROUP BY saga)
    AS commanded ON commanded.saga = bracket.saga
GROUP BY bracket.saga;
CREATE UNIQUE INDEX owner_by_saga ON owner (saga);

CREATE VIEW finish AS SELECT max(at) AS at FROM moment;

-- From when bounds count anew, and what ends the time in which the launcher can keep them.
CREATE VIEW anchor AS
SELECT at FROM process WHERE name = 'launcher' AND did IN ('started', 'continued')
UNION SELECT at FROM outage WHERE did = 'ended';
CREATE VIEW interruption AS
SELECT at FROM process WHERE name = 'launcher' AND did IN ('killed', 'ended', 'stopped')
UNION SELECT at FROM outage WHERE did = 'began';

-- Epochs that were over, and when at the latest that can be told.
CREATE TABLE epoch_over AS
SELECT host, epoch, min(at) AS at FROM (
    SELECT life.host, life.epoch, process.at FROM
        (SELECT host, epoch, min(at) AS since, max(at) AS until FROM did GROUP BY host, epoch)
        AS life
        JOIN process ON process.name = life.host AND process.did IN ('killed', 'ended')
        AND process.at >= life.until
    UNION ALL
    SELECT older.host, older.epoch, newer.at FROM did AS newer JOIN
        (SELECT host, epoch, min(n) AS n FROM did GROUP BY host, epoch) AS older
        ON newer.host = older.host AND newer.epoch <> older.epoch AND newer.n > older.n
        AND newer.n IN (SELECT min(n) FROM did GROUP BY host, epoch)
    UNION ALL
    SELECT host, epoch, at FROM event WHERE type = 'HostLeft'
    UNION ALL
    SELECT host, epoch, at FROM did WHERE did = 'fenced'
) GROUP BY host, epoch;

-- The mirror: of the epoch that registered last, the last word on each window.
CREATE TABLE current AS
SELECT host, epoch, target, at, max(version) AS version FROM event
WHERE type = 'HostRegistered' AND NOT EXISTS (SELECT 1 FROM partial WHERE partial.at >= event.at)
GROUP BY host;
CREATE TABLE mirror AS
SELECT event.host, event.epoch, event.label,
    CASE event.type WHEN 'PoolWindowAdded' THEN 'pool' WHEN 'WindowOpened' THEN 'open' END AS place,
    max(event.version) AS version
FROM event JOIN current ON current.host = event.host AND current.epoch = event.epoch
WHERE event.type IN ('PoolWindowAdded', 'PoolWindowRemoved', 'WindowOpened', 'WindowClosed')
GROUP BY event.host, event.label;

-- The size of each current pool after each event that changes it or its target.
CREATE TABLE pool_state AS
SELECT event.host, event.version, event.at,
    sum(CASE event.type WHEN 'PoolWindowAdded' THEN 1 WHEN 'PoolWindowRemoved' THEN -1 ELSE 0 END)
        OVER (PARTITION BY event.host ORDER BY event.version) AS size,
    current.target,
    (SELECT other.type IN ('PoolDrained', 'HostLeft') FROM event AS other
     WHERE other.host = event.host AND other.epoch = event.epoch AND other.version <= event.version
     AND other.type IN ('PoolDrained', 'HostLeft', 'WindowOpened', 'HostRegistered')
     ORDER BY other.version DESC LIMIT 1) AS waived
FROM event JOIN current ON current.host = event.host AND current.epoch = event.epoch
WHERE event.type IN ('HostRegistered', 'PoolWindowAdded', 'PoolWindowRemoved', 'PoolDrained',
                     'WindowOpened', 'HostLeft');

-- When the last fault was over; NULL while one is still on.
CREATE VIEW last_fault AS SELECT CASE
    WHEN EXISTS (SELECT 1 FROM fault AS one WHERE did = 'began' AND NOT EXISTS (
        SELECT 1 FROM fault AS two WHERE two.did = 'ended' AND two.fault = one.fault
        AND two.target = one.target AND two.at >= one.at)) THEN NULL
    WHEN (SELECT did FROM outage ORDER BY at DESC, n DESC LIMIT 1) = 'began' THEN NULL
    ELSE coalesce((SELECT max(at) FROM (
        SELECT at FROM fault UNION ALL SELECT at FROM outage
        UNION ALL SELECT at FROM process WHERE did <> 'ended')), 0) END AS at;

-- Hosts that nothing was ever done to, by name or at either end of a link.
CREATE TABLE faultless AS
SELECT DISTINCT host FROM event WHERE host IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM fault WHERE target = event.host
    OR substr(target, 1, length(event.host) + 1) = event.host || '-'
    OR substr(target, -length(event.host) - 1) = '-' || event.host)
AND NOT EXISTS (SELECT 1 FROM process WHERE name = event.host
    AND did IN ('killed', 'stopped', 'continued'))
AND (SELECT count(*) FROM process WHERE name = event.host AND did = 'started') < 2;

-- The lives of an observer, and since which one it knows what it was told: one that begins anew
-- begins with version 1, any other goes on where it was.
CREATE TABLE memory AS
SELECT observer, life, max(CASE WHEN first = 1 THEN life ELSE 0 END)
    OVER (PARTITION BY observer ORDER BY life) AS since
FROM (SELECT observer, life, min(version) AS first FROM seen GROUP BY observer, life);

-- What ends a time of peace: a fault of anybody, and who came back.
CREATE TABLE unrest AS
SELECT at, n FROM fault UNION ALL SELECT at, n FROM outage
UNION ALL SELECT at, n FROM process WHERE did <> 'ended' AND NOT (did = 'started'
    AND n = (SELECT min(first.n) FROM process AS first WHERE first.name = process.name));
CREATE TABLE absence AS
SELECT n, name, did, lead(n) OVER (PARTITION BY name ORDER BY n) AS back FROM process;

-- What was done to the launcher, its log, or to what is neither a host nor an observer.
CREATE TABLE trouble AS
SELECT at, CASE did WHEN 'happened' THEN at ELSE NULL END AS until, fault, target FROM fault
WHERE did <> 'ended' AND target NOT IN (SELECT observer FROM seen)
AND NOT EXISTS (SELECT 1 FROM (SELECT DISTINCT host FROM event WHERE host IS NOT NULL) AS known
    WHERE target = known.host OR substr(target, 1, length(known.host) + 1) = known.host || '-'
    OR substr(target, -length(known.host) - 1) = '-' || known.host);
UPDATE trouble SET until = (SELECT min(fault.at) FROM fault WHERE fault.did = 'ended'
    AND fault.fault = trouble.fault AND fault.target = trouble.target
    AND fault.at >= trouble.at) WHERE until IS NULL;
INSERT INTO trouble SELECT at, (SELECT min(later.at) FROM outage AS later
    WHERE later.did = 'ended' AND later.at >= outage.at), 'outage', 'log'
FROM outage WHERE did = 'began';
INSERT INTO trouble SELECT at, (SELECT min(later.at) FROM process AS later
    WHERE later.name = 'launcher' AND later.did IN ('started', 'continued')
    AND later.at >= process.at), did, name
FROM process WHERE name = 'launcher' AND did IN ('killed', 'ended', 'stopped');
"""
