"""What text stands for in an import: each macro of the adapters on the texts that files hold."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from corank.logs.adapters.macros import MACROS

READ = [
    (
        "number(x)",
        {"0": 0.0, "2.5": 2.5, "1.68e+12": 1.68e12, "-1": None, "nan": None, "inf": None, "x": None},
    ),
    ("whole(x)", {"7": 7, "3.0": 3, "1.68e+12": 1_680_000_000_000, "3.5": None, "-1": None, "": None}),
    ("whole(x)", {"900719925474099267": 900_719_925_474_099_267, "9" * 19: None, "1e18": None}),
    ("below(x, 10)", {"9": 9, "10": None, "x": None}),
    ("finite(x)", {"-2.5": -2.5, "3": 3.0, "inf": None, "nan": None, "x": None}),
    ("moment(x)", {"788918400000": 788_918_400_000, "788918399999": None, "1650485801": None}),
    ("CAST(calendar(x) AS VARCHAR)", {"2016-05-09": "2016-05-09", "1994-12-31": None, "2999-01-01": None}),
    ("day_number(x)", {"2022-04-20 10:00:00": 19102, "1970-01-01": None, "soon": None}),
    ("known(x)", {" a b ": "a b", "UNKNOWN": None, "空": None, "-124": None, " ": None}),
    ("words(x, '[, ]+')", {"12,34": "12 34", ", 5,,6 ": "5 6", ",": None}),
    ("word_ids(x)", {"[20, 34]": "w20 w34", "[]": None, "20 34": None}),
    ("parts(x, '_')", {"a_b": ["a", "b"], "a": ["a"]}),
    ("names(x)", {"['a', 'b']": ["a", "b"], "[]": []}),
    ("vector(x)", {"[1, -0.5]": [1.0, -0.5], "[1, nan]": None, "[1, x]": None, "1": None}),
    ("firsts(string_split(x, ','))", {"a,b,a,c": [1, 2, 4], "a": [1]}),
]


@pytest.mark.parametrize(("macro", "texts"), READ)
def test_what_text_stands_for(macro: str, texts: dict[str, Any]) -> None:
    with duckdb.connect() as connection:
        connection.execute(MACROS)
        for text, meant in texts.items():
            assert connection.execute(f"SELECT {macro} FROM (SELECT ? AS x)", [text]).fetchone() == (meant,)


def test_null_stands_for_nothing() -> None:
    with duckdb.connect() as connection:
        connection.execute(MACROS)
        for macro, _ in READ:
            found = connection.execute(f"SELECT {macro} FROM (SELECT CAST(NULL AS VARCHAR) AS x)").fetchone()
            assert found == (([],) if macro.startswith("parts") else (None,))
