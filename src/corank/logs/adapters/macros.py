"""SQL macros for what a source's text may stand for, null where it does not; a name means one thing."""

from __future__ import annotations

MACROS = r"""
    CREATE MACRO number(x) AS CASE WHEN TRY_CAST(x AS DOUBLE) BETWEEN 0 AND 9_007_199_254_740_991
      THEN TRY_CAST(x AS DOUBLE) END;
    CREATE MACRO whole(x) AS CASE WHEN regexp_full_match(x, '[0-9]{1,18}') THEN CAST(x AS BIGINT)
      WHEN number(x) = floor(number(x)) THEN CAST(number(x) AS BIGINT) END;
    CREATE MACRO below(x, bound) AS CASE WHEN whole(x) < bound THEN whole(x) END;
    CREATE MACRO finite(x) AS CASE WHEN isfinite(TRY_CAST(x AS DOUBLE)) THEN TRY_CAST(x AS DOUBLE) END;
    CREATE MACRO moment(x) AS CASE WHEN whole(x) BETWEEN 788_918_400_000 AND 4_102_444_800_000
      THEN whole(x) END;
    CREATE MACRO calendar(x) AS CASE WHEN TRY_CAST(left(x, 10) AS DATE) BETWEEN DATE '1995-01-01'
      AND current_date THEN TRY_CAST(left(x, 10) AS DATE) END;
    CREATE MACRO day_number(x) AS date_diff('day', DATE '1970-01-01', calendar(x));
    CREATE MACRO known(x) AS CASE WHEN lower(trim(x)) NOT IN ('', 'unknown', 'empty', '空', '-124')
      THEN trim(x) END;
    CREATE MACRO words(x, gap) AS nullif(trim(regexp_replace(x, gap, ' ', 'g')), '');
    CREATE MACRO word_ids(x) AS CASE WHEN regexp_full_match(x, '\[[0-9, ]*\]')
      THEN nullif(array_to_string(list_transform(regexp_extract_all(x, '[0-9]+'),
        lambda word: 'w' || word), ' '), '') END;
    CREATE MACRO parts(x, mark) AS coalesce(string_split(x, mark), []);
    CREATE MACRO names(x) AS regexp_extract_all(x, '[^\[\]'', "]+');
    CREATE MACRO vector(x) AS CASE WHEN len(list_filter(TRY_CAST(x AS FLOAT[]),
      lambda v: v IS NULL OR NOT isfinite(v))) = 0 THEN TRY_CAST(x AS FLOAT[]) END;
    CREATE MACRO firsts(items) AS list_filter(range(1, len(items) + 1),
      lambda i: list_position(items, items[i]) = i AND items[i] IS NOT NULL);
"""
"""The macros.

- `number`: a number from 0 that a double holds exactly enough;
- `whole`: a whole one, also as 3.0 or 1.68e+12, as numbers become that once had nulls beside them;
- `below`: a whole number below `bound`;
- `finite`: any finite number;
- `moment`: milliseconds since 1970, from 1995 (the log check takes no earlier time) to 2100;
- `calendar`: a date from 1995 to today;
- `day_number`: such a date as days since 1970-01-01;
- `known`: text that does not stand for a missing value;
- `words`: words, one space where the text matches `gap`;
- `word_ids`: a list of word ids, [20, 34], as words, w20 w34, which no other number is taken for;
- `parts`: the parts of a list with `mark` between them, none for null;
- `names`: the names in a printed list, ['a', 'b'];
- `vector`: a printed list of finite numbers;
- `firsts`: the places of a list that hold something for the first time.
"""
