-- Views of the log, splits by time, and the items of each search request: exposed ones by position, then a
-- seeded draw. Ids are whole numbers, prices are never null, positions and lists are sound: this log is known.
CREATE VIEW requests AS FROM '$logs/requests.parquet';
CREATE VIEW candidates AS FROM '$logs/candidates.parquet';
CREATE VIEW events AS FROM '$logs/events.parquet';
CREATE VIEW items AS FROM '$logs/items.parquet';
CREATE VIEW users AS FROM '$logs/users.parquet';

-- The draw: rounds of x -> (x + k)^3 mod p, with constants from SHA-256 (seed 0).
CREATE MACRO k(purpose, i) AS
    (('0x' || sha256('0/' || purpose || '/' || i)[:16])::UBIGINT % 2147483579)::BIGINT;
CREATE MACRO cube(x) AS x * x % 2147483579 * x % 2147483579;
CREATE MACRO round_1(x, key) AS cube((x % 2147483579 + 2147483579 + key) % 2147483579);
CREATE MACRO round_2(x, state, key) AS cube((state + key + x % 2147483647 + 2147483647) % 2147483579);
CREATE MACRO request_key(x, purpose) AS
    cube((round_2(x, round_1(x, k(purpose, 0)), k(purpose, 1)) + k(purpose, 2)) % 2147483579);

CREATE TABLE listed AS
SELECT r.request_id, r.user_id, r.session_id, r.timestamp, r.query, c.listed, c.shown
FROM requests r JOIN (
    SELECT request_id, count(*) AS listed, count(*) FILTER (exposed) AS shown FROM candidates GROUP BY ALL
) c USING (request_id)
WHERE r.domain = 'search';

SET VARIABLE tests = (SELECT floor(count(*) * 0.2 + 0.5)::BIGINT FROM listed);
SET VARIABLE valids = (SELECT floor(count(*) * 0.1 + 0.5)::BIGINT FROM listed);
SET VARIABLE times = (SELECT list(timestamp ORDER BY timestamp) FROM listed);
SET VARIABLE test_from = (SELECT getvariable('times')[len(getvariable('times')) - getvariable('tests') + 1]);
SET VARIABLE valid_from = (
    SELECT getvariable('times')[len(getvariable('times')) - getvariable('tests') - getvariable('valids') + 1]
);

CREATE TABLE searches AS
SELECT request_id, user_id, session_id, timestamp, query, split,
    [getvariable('valid_from'), getvariable('test_from'), NULL][split + 1] AS split_end,
    CASE split WHEN 0 THEN shown + least(2 * shown, listed - shown) ELSE listed END AS samples,
    request_key(request_id, 'shuffle') AS shuffle
FROM (
    SELECT *, (timestamp >= getvariable('valid_from'))::INT + (timestamp >= getvariable('test_from'))::INT AS split
    FROM listed
)
WHERE split > 0 OR shown > 0;

-- The whole lists, with the rank of the price, and where each item stands in its list.
CREATE TABLE lists AS
WITH keyed AS (
    SELECT c.*, s.samples,
        CASE WHEN c.exposed THEN c.position - 1_000_000::BIGINT ELSE round_2(c.item_id, round_1(c.item_id, s.key_1), s.key_2)
        END AS place_key
    FROM candidates c JOIN (
        SELECT request_id, samples, request_key(request_id, 'draw-1') AS key_1,
            request_key(request_id, 'draw-2') AS key_2
        FROM searches
    ) s USING (request_id)
)
SELECT request_id, item_id, exposed, position, retrieval_score, price, samples,
    row_number() OVER (PARTITION BY request_id ORDER BY place_key, item_id) - 1 AS place,
    ((rank() OVER by_price - 1 + round(cume_dist() OVER by_price * count(*) OVER whole) - 1)
        / (2 * (count(*) OVER whole - 1)))::FLOAT AS price_rank
FROM keyed
WINDOW by_price AS (PARTITION BY request_id ORDER BY price),
    whole AS (PARTITION BY request_id ORDER BY price ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING);
