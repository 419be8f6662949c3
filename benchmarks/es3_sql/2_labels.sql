-- What each click and purchase labels: a sample of its own request, or by attribution an earlier one.
CREATE TABLE fates AS
SELECT e.user_id, e.item_id, e.timestamp, e.action, e.domain, e.request_id, e.action = 'purchase' AS purchase,
    CASE
        WHEN e.request_id IS NULL THEN 'without_request'
        WHEN r.user_id IS NULL THEN 'unknown_request'
        WHEN r.user_id <> e.user_id THEN 'other_user'
        WHEN s.request_id IS NULL THEN 'other_request'
        WHEN c.item_id IS NULL THEN 'not_in_list'
        WHEN e.timestamp >= s.split_end THEN 'after_split'
        ELSE 'labels'
    END AS fate
FROM events e
LEFT JOIN requests r ON r.request_id = e.request_id
LEFT JOIN searches s ON s.request_id = e.request_id
LEFT JOIN lists c ON c.request_id = e.request_id AND c.item_id = e.item_id
WHERE e.action IN ('click', 'purchase');

CREATE TABLE free AS
SELECT row_number() OVER () AS event, *
FROM fates WHERE fate NOT IN ('labels', 'after_split') AND timestamp < getvariable('valid_from');

CREATE MACRO words(text) AS
    list_distinct(list_filter(regexp_split_to_array(lower(text), '[^\p{L}\p{N}]+'), lambda w: w <> ''));
CREATE TABLE item_words AS
SELECT item_id, words(concat_ws(' ', title, category, department, brand)) AS words FROM items;
CREATE TABLE query_words AS
SELECT query, words FROM (SELECT query, words(query) AS words FROM (SELECT DISTINCT query FROM requests))
WHERE len(words) > 0;

-- Samples of training requests that a free event might label; those whose words say otherwise are out.
CREATE TABLE targets AS
SELECT s.user_id, l.item_id, s.timestamp, s.request_id, l.exposed, o.clicked_at
FROM lists l JOIN searches s USING (request_id)
SEMI JOIN free f ON f.user_id = s.user_id AND f.item_id = l.item_id
LEFT JOIN query_words q ON q.query = s.query
LEFT JOIN item_words w ON w.item_id = l.item_id
LEFT JOIN (
    SELECT request_id, item_id, min(timestamp) AS clicked_at FROM fates WHERE fate = 'labels' GROUP BY ALL
) o ON o.request_id = s.request_id AND o.item_id = l.item_id
WHERE s.split = 0 AND l.place < l.samples
    AND coalesce(len(w.words) = 0 OR list_has_any(q.words, w.words), true);

CREATE TABLE attributed AS
SELECT f.* REPLACE (coalesce(t.tier, f.fate) AS fate), t.labelled
FROM free f LEFT JOIN (
    SELECT event, arg_max(request_id, (-rank, timestamp, request_id)) AS labelled, arg_max(tier, -rank) AS tier
    FROM (
        SELECT f.event, t.request_id, t.timestamp,
            CASE
                WHEN f.purchase AND t.clicked_at < f.timestamp THEN 'purchase_clicked'
                ELSE if(f.purchase, 'purchase_', 'click_') || if(t.exposed, 'exposed', 'unexposed')
            END AS tier,
            list_position(['purchase_clicked', 'click_exposed', 'purchase_exposed'], tier) AS found,
            coalesce(found, 9) AS rank
        FROM free f JOIN targets t ON f.user_id = t.user_id AND f.item_id = t.item_id
            AND t.timestamp < f.timestamp AND f.timestamp <= t.timestamp + INTERVAL 24 HOURS
    )
    GROUP BY event
) t USING (event);
