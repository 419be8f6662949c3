-- The store: requests in a shuffled order with lists of their samples; items, histories and the ledger.
CREATE TABLE labels AS
SELECT request_id, item_id, max(purchase) AS purchase, min(source) AS source,
    min(source) FILTER (purchase) AS purchase_source
FROM (
    SELECT request_id, item_id, purchase, 0 AS source FROM fates WHERE fate = 'labels'
    UNION ALL
    SELECT labelled, item_id, purchase,
        list_position(['click_exposed', 'click_unexposed', 'purchase_clicked', 'purchase_exposed', 'purchase_unexposed'], fate)
    FROM attributed WHERE labelled IS NOT NULL
    UNION ALL
    SELECT p.request_id, p.item_id, b.request_id IS NOT NULL, 6
    FROM pseudo p LEFT JOIN (
        SELECT DISTINCT f.request_id, f.item_id
        FROM fates f LEFT JOIN attributed a
            ON (a.user_id, a.item_id, a.timestamp, a.action, a.domain, a.request_id)
                = (f.user_id, f.item_id, f.timestamp, f.action, f.domain, f.request_id)
        WHERE f.purchase AND f.timestamp < getvariable('valid_from') AND f.fate <> 'other_user' AND a.labelled IS NULL
    ) b USING (request_id, item_id)
)
GROUP BY ALL;

CREATE TABLE histories AS
SELECT user_id, item_id, action, domain, timestamp FROM events SEMI JOIN requests USING (user_id)
ORDER BY user_id, timestamp, action, item_id, domain;

CREATE TABLE history_places AS
SELECT user_id, timestamp, first_value(row) OVER (PARTITION BY user_id ORDER BY row) AS history_offset,
    row - history_offset + 1 AS events
FROM (SELECT user_id, timestamp, row_number() OVER (ORDER BY user_id, timestamp, action, item_id, domain) - 1 AS row FROM histories)
QUALIFY row_number() OVER (PARTITION BY user_id, timestamp ORDER BY row DESC) = 1;

CREATE TABLE rows AS
SELECT p.*, row_number() OVER (ORDER BY p.split, p.shuffle, p.request_id, p.pseudo) AS number, r.domain, r.device, r.shop, coalesce(o.history_offset, 0) AS history_offset,
    coalesce(h.events, 0) AS history_length
FROM (
    SELECT request_id, user_id, session_id, timestamp, NULL::BIGINT AS pseudo, split, shuffle, query,
        'logged' AS query_source
    FROM searches
    UNION ALL
    SELECT request_id, user_id, session_id, timestamp, item_id, 0, request_key(request_id, 'shuffle'),
        coalesce(a.query, b.query, c.query),
        CASE WHEN a.query IS NOT NULL THEN 'own' WHEN b.query IS NOT NULL THEN 'cooccurring'
            WHEN c.query IS NOT NULL THEN 'nearest' ELSE 'none' END
    FROM pseudo p LEFT JOIN own_query a USING (request_id, item_id)
    LEFT JOIN cooccurring_query b USING (request_id, item_id)
    LEFT JOIN nearest_query c USING (request_id, item_id)
) p
JOIN requests r USING (request_id)
LEFT JOIN (SELECT DISTINCT user_id, history_offset FROM history_places) o ON o.user_id = p.user_id
ASOF LEFT JOIN history_places h ON h.user_id = p.user_id AND h.timestamp < p.timestamp;

CREATE TABLE facts AS
WITH sources AS (SELECT ['own', 'click_exposed', 'click_unexposed', 'purchase_clicked', 'purchase_exposed',
    'purchase_unexposed', 'searchified'] AS names)
SELECT r.number, s.place, s.item_id, s.exposed, if(s.exposed, s.position::INT, NULL) AS position,
    (l.source IS NOT NULL)::TINYINT AS label_click, coalesce(l.purchase, false)::TINYINT AS label_purchase,
    names[l.source + 1] AS label_source, names[l.purchase_source + 1] AS purchase_source, 1::FLOAT AS weight,
    (a.purchase IS NOT NULL OR coalesce(l.source = 0, false))::TINYINT AS anywhere_click,
    (coalesce(a.purchase, false) OR coalesce(l.purchase_source = 0, false))::TINYINT AS anywhere_purchase,
    s.retrieval_score, s.price, s.price_rank, coalesce(i.item_clicks, 0) AS item_clicks,
    coalesce(n.user_shown, 0) AS user_shown, n.user_since_shown, coalesce(i.item_shown, 0) AS item_shown,
    coalesce(u.user_touches, 0) AS user_touches, coalesce(u.user_touches_cart, 0) AS user_touches_cart,
    coalesce(u.user_touches_click, 0) AS user_touches_click,
    coalesce(u.user_touches_purchase, 0) AS user_touches_purchase, u.user_since_touch, u.user_touch_order,
    coalesce(e.session_touches, 0) AS session_touches, coalesce(e.session_touches_cart, 0) AS session_touches_cart,
    coalesce(e.session_touches_click, 0) AS session_touches_click,
    coalesce(e.session_touches_purchase, 0) AS session_touches_purchase, e.session_since_touch, e.session_touch_order,
    p.list_touch_order, (s.retrieval_score::DOUBLE - o.retrieval_score::DOUBLE)::FLOAT AS retrieval_score_from_touch,
    (s.price::DOUBLE - o.price::DOUBLE)::FLOAT AS price_from_touch
FROM samples s
JOIN rows r ON r.request_id = s.request_id AND r.pseudo IS NOT DISTINCT FROM s.pseudo
CROSS JOIN sources
LEFT JOIN labels l ON l.request_id = s.request_id AND l.item_id = s.item_id AND (s.pseudo IS NULL OR s.place = 0)
LEFT JOIN anywhere a ON a.request_id = s.request_id AND a.item_id = s.item_id
LEFT JOIN everyone i ON i.request_id = s.request_id AND i.item_id = s.item_id
LEFT JOIN user_shown n ON n.request_id = s.request_id AND n.item_id = s.item_id
LEFT JOIN user_past u ON u.request_id = s.request_id AND u.item_id = s.item_id
LEFT JOIN session_past e ON e.request_id = s.request_id AND e.item_id = s.item_id
LEFT JOIN listed_past p ON p.request_id = s.request_id AND p.item_id = s.item_id
LEFT JOIN listed_past o ON o.request_id = s.request_id AND o.list_touch_order = 1
ORDER BY number, place;

-- `list(x ORDER BY place)` would sort once for each of the columns. Plain lists of one group are all in the same
-- order, whatever it is: one sort of their places puts them all right.
CREATE TABLE listwise AS
SELECT r.number, r.split, r.request_id, r.user_id, r.domain, r.timestamp, r.query, r.session_id, r.device, r.shop,
    r.query_source, u.age_band AS user_age_band, u.city_tier AS user_city_tier, u.membership AS user_membership,
    r.history_offset, r.history_length, f.* EXCLUDE number
FROM rows r LEFT JOIN users u USING (user_id)
JOIN (
    SELECT number, list_select(COLUMNS(* EXCLUDE (number, place)), list_grade_up(place))
    FROM (SELECT number, list(COLUMNS(* EXCLUDE number)) FROM facts GROUP BY number)
) f USING (number);

COPY (SELECT * EXCLUDE (number, split) FROM listwise WHERE split = 0 ORDER BY number)
TO '$out/train.parquet' (COMPRESSION zstd, ROW_GROUP_SIZE 2048);
COPY (SELECT * EXCLUDE (number, split) FROM listwise WHERE split = 1 ORDER BY number)
TO '$out/valid.parquet' (COMPRESSION zstd, ROW_GROUP_SIZE 2048);
COPY (SELECT * EXCLUDE (number, split) FROM listwise WHERE split = 2 ORDER BY number)
TO '$out/test.parquet' (COMPRESSION zstd, ROW_GROUP_SIZE 2048);
COPY (FROM items ORDER BY item_id) TO '$out/items.parquet' (COMPRESSION zstd);
COPY (FROM histories) TO '$out/histories.parquet' (COMPRESSION zstd);
COPY (
    SELECT user_id, timestamp, action, item_id, domain, request_id, fate, labelled AS labelled_request_id
    FROM (
        SELECT f.*, f.request_id AS labelled FROM fates f WHERE fate = 'labels'
        UNION ALL
        SELECT f.*, NULL FROM fates f WHERE fate <> 'labels' AND (fate = 'after_split' OR timestamp >= getvariable('valid_from'))
        UNION ALL
        SELECT a.* EXCLUDE (event, labelled) REPLACE (
            CASE WHEN p.request_id IS NOT NULL THEN 'searchified' WHEN s.request_id IS NOT NULL THEN 'no_similar'
            ELSE a.fate END AS fate
        ), if(p.request_id IS NOT NULL, p.request_id, a.labelled)
        FROM attributed a
        LEFT JOIN sources s ON a.fate = 'other_request' AND NOT a.purchase
            AND s.request_id = a.request_id AND s.item_id = a.item_id
        LEFT JOIN pseudo p ON p.request_id = s.request_id AND p.item_id = s.item_id
    )
    ORDER BY user_id, timestamp, action, item_id, domain, request_id NULLS LAST
) TO '$out/labels.parquet' (COMPRESSION zstd);
