-- The samples, one row each, and what was known of their items when the request was made.
CREATE TABLE samples AS
SELECT l.request_id, NULL::BIGINT AS pseudo, s.user_id, s.timestamp, s.split_end, l.place, l.item_id, l.exposed,
    l.position, l.retrieval_score, l.price, l.price_rank
FROM lists l JOIN searches s USING (request_id)
WHERE l.place < l.samples
UNION ALL
SELECT p.request_id, p.item_id, p.user_id, p.timestamp, getvariable('valid_from'), m.place, l.item_id, l.exposed,
    l.position, l.retrieval_score, l.price, l.price_rank
FROM pseudo p JOIN (
    SELECT request_id, item_id, item_id AS member, 0 AS place FROM pseudo
    UNION ALL
    SELECT request_id, item_id, other,
        row_number() OVER (PARTITION BY request_id, item_id ORDER BY score DESC, other) FROM negatives
) m USING (request_id, item_id)
JOIN source_lists l ON l.request_id = m.request_id AND l.item_id = m.member;

-- What the user had touched before each request, in any request's list or not.
CREATE TABLE asks AS
SELECT request_id, user_id, session_id, timestamp FROM searches
UNION ALL
SELECT DISTINCT request_id, user_id, session_id, timestamp FROM pseudo;

CREATE TABLE steps AS
SELECT user_id, session_id, item_id, timestamp, action,
    row_number() OVER (PARTITION BY user_id ORDER BY timestamp, action, item_id) AS step
FROM events;

CREATE MACRO seconds(later, earlier) AS ((epoch_us(later) - epoch_us(earlier)) / 1e6)::FLOAT;

CREATE TABLE user_past AS
SELECT *, row_number() OVER (PARTITION BY request_id ORDER BY last DESC)::INT AS user_touch_order
FROM (
    SELECT a.request_id, e.item_id, max(e.step) AS last, count(*)::INT AS user_touches,
        (count(*) FILTER (e.action = 'cart'))::INT AS user_touches_cart,
        (count(*) FILTER (e.action = 'click'))::INT AS user_touches_click,
        (count(*) FILTER (e.action = 'purchase'))::INT AS user_touches_purchase,
        seconds(a.timestamp, max(e.timestamp)) AS user_since_touch
    FROM asks a JOIN steps e ON e.user_id = a.user_id AND e.timestamp < a.timestamp
    GROUP BY a.request_id, a.timestamp, e.item_id
);

CREATE TABLE session_past AS
SELECT *, row_number() OVER (PARTITION BY request_id ORDER BY last DESC)::INT AS session_touch_order
FROM (
    SELECT a.request_id, e.item_id, max(e.step) AS last, count(*)::INT AS session_touches,
        (count(*) FILTER (e.action = 'cart'))::INT AS session_touches_cart,
        (count(*) FILTER (e.action = 'click'))::INT AS session_touches_click,
        (count(*) FILTER (e.action = 'purchase'))::INT AS session_touches_purchase,
        seconds(a.timestamp, max(e.timestamp)) AS session_since_touch
    FROM asks a JOIN steps e
        ON e.user_id = a.user_id AND e.session_id = a.session_id AND e.timestamp < a.timestamp
    GROUP BY a.request_id, a.timestamp, e.item_id
);

-- The touched items of each list, and the one touched last, to which the others are compared.
CREATE TABLE listed_past AS
SELECT p.request_id, p.item_id, l.retrieval_score, l.price,
    row_number() OVER (PARTITION BY p.request_id ORDER BY p.last DESC)::INT AS list_touch_order
FROM user_past p JOIN (
    SELECT request_id, item_id, retrieval_score, price FROM lists
    UNION ALL
    SELECT request_id, item_id, retrieval_score, price FROM source_lists
) l USING (request_id, item_id);

-- What was shown before, to the user and to anyone.
CREATE TABLE exposures AS
SELECT r.user_id, c.item_id, r.timestamp
FROM candidates c JOIN requests r USING (request_id) WHERE c.exposed;

CREATE TABLE user_shown AS
SELECT s.request_id, s.item_id, count(*)::INT AS user_shown, seconds(s.timestamp, max(e.timestamp)) AS user_since_shown
FROM (SELECT DISTINCT request_id, user_id, item_id, timestamp FROM samples) s
JOIN exposures e ON e.user_id = s.user_id AND e.item_id = s.item_id AND e.timestamp < s.timestamp
GROUP BY s.request_id, s.item_id, s.timestamp;

-- Counts are summed as DOUBLE: DuckDB sums whole numbers in 128 bits, which takes twice the time.
CREATE TABLE item_past AS
SELECT item_id, timestamp, (sum(clicks) OVER so_far)::INT AS item_clicks, (sum(shown) OVER so_far)::INT AS item_shown
FROM (
    SELECT item_id, timestamp, (count(*) FILTER (click))::DOUBLE AS clicks,
        (count(*) FILTER (NOT click))::DOUBLE AS shown
    FROM (
        SELECT item_id, timestamp, false AS click FROM exposures
        UNION ALL
        SELECT item_id, timestamp, true FROM events WHERE action = 'click'
    )
    GROUP BY ALL
)
WINDOW so_far AS (PARTITION BY item_id ORDER BY timestamp);

-- Of the narrowest rows that can be: an ASOF join sorts all it is given.
CREATE TABLE everyone AS
SELECT s.request_id, s.item_id, i.item_clicks, i.item_shown
FROM (SELECT DISTINCT request_id, item_id, timestamp FROM samples) s
ASOF JOIN item_past i ON i.item_id = s.item_id AND i.timestamp < s.timestamp;

-- What the user did with the item in any channel within a day.
CREATE TABLE anywhere AS
SELECT s.request_id, s.item_id, max(e.purchase) AS purchase
FROM samples s JOIN fates e ON e.user_id = s.user_id AND e.item_id = s.item_id
WHERE e.timestamp > s.timestamp AND e.timestamp <= s.timestamp + INTERVAL 24 HOURS
    AND coalesce(e.timestamp < s.split_end, true)
GROUP BY ALL;
