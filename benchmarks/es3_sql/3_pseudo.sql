-- Clicks of other domains as pseudo-search requests, with negatives and a query.
CREATE TABLE sources AS
SELECT c.request_id, c.item_id, r.user_id, r.session_id, r.timestamp
FROM (
    SELECT DISTINCT request_id, item_id FROM attributed WHERE fate = 'other_request' AND NOT purchase
) c JOIN requests r USING (request_id)
WHERE r.domain <> 'search' AND r.timestamp < getvariable('valid_from');

CREATE TABLE source_lists AS
SELECT * FROM (
    SELECT request_id, item_id, exposed, position, retrieval_score, price,
        ((rank() OVER by_price - 1 + round(cume_dist() OVER by_price * count(*) OVER whole) - 1)
            / (2 * (count(*) OVER whole - 1)))::FLOAT AS price_rank
    FROM candidates SEMI JOIN sources USING (request_id)
    WINDOW by_price AS (PARTITION BY request_id ORDER BY price),
        whole AS (PARTITION BY request_id ORDER BY price ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
);

CREATE TABLE vectors AS
SELECT item_id, v, list_dot_product(v, v) AS square
FROM (
    SELECT item_id, [floor(x / list_max([abs(y) for y in embedding::DOUBLE[]]) * 127 + 0.5) for x in embedding::DOUBLE[]]
        AS v
    FROM items
);

CREATE TABLE negatives AS
SELECT s.request_id, s.item_id, c.item_id AS other, list_dot_product(a.v, b.v) / sqrt(a.square * b.square) AS score
FROM (FROM sources SEMI JOIN (FROM source_lists WHERE exposed) USING (request_id, item_id)) s
JOIN (
    FROM source_lists ANTI JOIN (
        FROM fates WHERE fate <> 'other_user' AND timestamp < getvariable('valid_from')
    ) USING (request_id, item_id)
    WHERE exposed
) c ON c.request_id = s.request_id
JOIN vectors a ON a.item_id = s.item_id
JOIN vectors b ON b.item_id = c.item_id
WHERE score > 0.2
QUALIFY row_number() OVER (PARTITION BY s.request_id, s.item_id ORDER BY score DESC, other) <= 4;

CREATE TABLE pseudo AS
SELECT s.request_id, s.item_id, s.user_id, s.session_id, s.timestamp, n.samples
FROM sources s JOIN (SELECT request_id, item_id, 1 + count(*) AS samples FROM negatives GROUP BY ALL) n
    USING (request_id, item_id);

-- Queries that led to a click: the user's last one, else the one with the most clicks so far, else the nearest.
CREATE TABLE led AS
SELECT f.user_id, f.item_id, f.timestamp, s.timestamp AS asked_at, s.request_id, s.split, s.query
FROM fates f JOIN searches s USING (request_id) SEMI JOIN query_words q ON q.query = s.query
WHERE f.fate = 'labels';

CREATE TABLE own_query AS
SELECT p.request_id, p.item_id, arg_max(l.query, (l.timestamp, l.asked_at, l.request_id)) AS query
FROM pseudo p JOIN led l ON l.user_id = p.user_id AND l.item_id = p.item_id AND l.timestamp < p.timestamp
GROUP BY ALL;

CREATE TABLE cooccurring_query AS
WITH counted AS (
    SELECT item_id, timestamp, query,
        row_number() OVER (PARTITION BY item_id, query ORDER BY timestamp) AS times
    FROM led WHERE split = 0
),
best AS (
    SELECT item_id, timestamp, arg_max(query, (times, timestamp, query)) OVER so_far AS query
    FROM counted
    WINDOW so_far AS (PARTITION BY item_id ORDER BY timestamp)
)
SELECT p.request_id, p.item_id, b.query
FROM pseudo p ASOF JOIN (SELECT DISTINCT * FROM best) b ON b.item_id = p.item_id AND b.timestamp < p.timestamp;

CREATE TABLE nearest_query AS
WITH known AS (
    SELECT query, min(timestamp) AS known_at, count(*) AS frequency
    FROM searches SEMI JOIN query_words USING (query) WHERE split = 0 GROUP BY query
    ORDER BY frequency DESC, query LIMIT 10000
),
asks AS (FROM pseudo ANTI JOIN own_query USING (request_id, item_id) ANTI JOIN cooccurring_query USING (request_id, item_id)),
query_word AS (
    SELECT query, known_at, len(words) AS asked, unnest(words) AS word FROM known JOIN query_words USING (query)
),
item_word AS (
    SELECT item_id, len(words) AS told, unnest(words) AS word FROM item_words SEMI JOIN asks USING (item_id)
),
scored AS (
    SELECT item_id, query, known_at, count(*) / (asked + told - count(*)) AS score
    FROM query_word JOIN item_word USING (word) GROUP BY item_id, query, known_at, asked, told
)
SELECT a.request_id, a.item_id, arg_max(s.query, (s.score, s.known_at, s.query)) AS query
FROM asks a JOIN scored s ON s.item_id = a.item_id AND s.known_at < a.timestamp
GROUP BY ALL;
