"""The tables by which texts and items are compared, for what a recipe needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from corank.errors import CorankError, unknown
from corank.logs import LogTables
from corank.logs.schemas import is_text
from corank.samples.config import Recipe, SampleConfig, Score, reaches
from corank.samples.engine import Engine, Logs
from corank.samples.scores import Sides
from corank.samples.words import item_words, query_words, vectors


@dataclass(frozen=True)
class Texts:
    """What is compared with what; None where the recipe has no use for it.

    Attributes:
        relevance: requests' queries (by `request_id` or `query`) against items.
        similarity: items against items.
        nearest: queries against items, by words or by embeddings.
        queries: `query` and `_words`, of queries that have words.
    """

    relevance: Sides | None = None
    similarity: Sides | None = None
    nearest: Sides | None = None
    queries: ir.Table | None = None


def text_columns(tables: LogTables, config: SampleConfig) -> list[str]:
    """The columns of items whose words describe them.

    Raises:
        CorankError: one of them is not there or not text.
    """
    schema = tables.schema("items")
    if config.item_text is None:
        return [field.name for field in schema if field.name != "item_id" and is_text(field.type)]
    for name in config.item_text:
        if name not in schema.names:
            raise unknown("column", name, schema.names, where="item_text (table items)")
        if not is_text(schema.field(name).type):
            raise CorankError(f"item_text: items.{name} is {schema.field(name).type}, expected text")
    return list(config.item_text)


def scores_by(tables: LogTables, config: SampleConfig) -> tuple[Score, Score | None, Score]:
    """How items are compared with items, requests with items (None: not at all), and queries for the nearest.

    Raises:
        CorankError: embeddings are asked for that are not there.
    """
    items, requests = (
        _embedded(tables, "items", "embedding"),
        _embedded(tables, "requests", "query_embedding"),
    )
    both: Score = "embedding" if items and requests else "lexical"
    similarity: Score = config.similarity or ("embedding" if items else "lexical")
    relevance = both if config.relevance is None else config.relevance
    if similarity == "embedding" and not items:
        raise CorankError("similarity = 'embedding': the table items has no column 'embedding' of numbers")
    if relevance == "embedding" and both != "embedding":
        missing = (
            "items has no column 'embedding'" if not items else "requests has no column 'query_embedding'"
        )
        raise CorankError(f"relevance = 'embedding': the table {missing} of numbers")
    return similarity, None if relevance == "none" else relevance, both


def read_texts(engine: Engine, tables: LogTables, logs: Logs, recipe: Recipe, config: SampleConfig) -> Texts:
    """Make the tables that the recipe needs and load them into the engine.

    Raises:
        CorankError: a column that is asked for is missing, or embeddings are of different lengths.
    """
    columns = text_columns(tables, config)
    similarity, relevance, nearest = scores_by(tables, config)
    if not reaches(recipe, "attributed"):
        return Texts()
    searchifies = reaches(recipe, "es3")
    kinds = {relevance} | ({similarity, nearest} if searchifies else set())
    words = query_table = item_vectors = request_vectors = None
    if "lexical" in kinds:
        items = engine.arrow(logs.items.select("item_id", *columns))
        words = engine.load("item_words", item_words(items, columns))
    if "lexical" in kinds or searchifies:
        queries = engine.arrow(
            logs.requests.filter(logs.requests["query"].notnull()).select("query").distinct()
        )
        query_table = engine.load("query_words", query_words(queries["query"].cast(pa.string())))
    if "embedding" in kinds:
        found = engine.arrow(logs.items.select("item_id", "embedding"))
        made = {"items": _vectors(found, "item_id", "embedding")}
        if "embedding" in (relevance, nearest):
            asked = engine.arrow(logs.requests.select("request_id", "query_embedding"))
            made["requests"] = _vectors(asked, "request_id", "query_embedding")
        _same_length(tables, made)
        item_vectors = engine.load("item_vectors", made["items"])
        if "requests" in made:
            request_vectors = engine.load("request_vectors", made["requests"])

    def sides(kind: Score | None, of_queries: bool) -> Sides | None:
        if kind is None:
            return None
        if kind == "lexical":
            left, key = (query_table, "query") if of_queries else (words, "item_id")
            return Sides(left, words, key, "item_id", "_words")
        left, key = (request_vectors, "request_id") if of_queries else (item_vectors, "item_id")
        return Sides(left, item_vectors, key, "item_id", "_vector")

    return Texts(
        relevance=sides(relevance, True),
        similarity=sides(similarity, False) if searchifies else None,
        nearest=sides(nearest, True) if searchifies else None,
        queries=query_table,
    )


def _embedded(tables: LogTables, table: str, column: str) -> bool:
    schema = tables.schema(table)
    if column not in schema.names:
        return False
    kind = schema.field(column).type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(is_list and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)))


def _vectors(table: pa.Table, key: str, column: str) -> pa.Table:
    made = pa.table({key: table[key], "_vector": vectors(table[column])})
    return made.filter(pc.is_valid(made["_vector"]))


def _same_length(tables: LogTables, made: dict[str, pa.Table]) -> None:
    """Embeddings that are compared have one length.

    Raises:
        CorankError: they have several.
    """
    lengths: dict[str, Sequence[int]] = {
        name: pc.unique(pc.list_value_length(table["_vector"])).to_pylist() for name, table in made.items()
    }
    if len({length for found in lengths.values() for length in found}) > 1:
        told = "; ".join(f"{name}: {', '.join(map(str, sorted(found)))}" for name, found in lengths.items())
        raise CorankError(f"{tables.folder}: embeddings differ in length ({told}); expected one length")
