"""A schema to compare sizes on where no samples are at hand: the usual fields of a search log."""

from __future__ import annotations

from corank.features.schema import (
    EmbeddingInput,
    IdInput,
    InputSchema,
    NumberInput,
    SequenceInput,
    SideSchema,
)


def reference_schema() -> InputSchema:
    """32 fields, 10 of them of the request.

    A request: user (100,000 codes), device, city (1,000), domain; the query's 8 words of 20,000; histories of
    20 items and their categories; two numbers. A sample: item (100,000), category (1,000), brand, seller
    (5,000 each); 8 title words; 16 numbers; a given vector of 64.
    """
    return InputSchema(
        request=SideSchema(
            ids=(
                _id("user_id", "user", 100_000),
                _id("device", "context", 10),
                _id("city", "user", 1_000),
                _id("domain", "domain", 5),
            ),
            numbers=(NumberInput(name="hour", group="context"), NumberInput(name="age", group="user")),
            sequences=(
                _sequence("query_words", "query", "words", 20_000, 8),
                _sequence("history_item_id", "sequence", "item_id", 100_000, 20),
                _sequence("history_category", "sequence", "category", 1_000, 20),
                _sequence("history_brand", "sequence", "brand", 5_000, 20),
            ),
        ),
        sample=SideSchema(
            ids=(
                _id("item_id", "item", 100_000),
                _id("category", "item", 1_000),
                _id("brand", "item", 5_000),
                _id("seller", "item", 5_000),
            ),
            numbers=tuple(NumberInput(name=f"number_{i}", group="item") for i in range(16)),
            sequences=(_sequence("title_words", "item", "words", 20_000, 8),),
            embeddings=(EmbeddingInput(name="image", group="item", dim=64),),
        ),
    )


def _id(name: str, group: str, cardinality: int) -> IdInput:
    return IdInput(name=name, group=group, table=name, cardinality=cardinality)


def _sequence(name: str, group: str, table: str, cardinality: int, length: int) -> SequenceInput:
    return SequenceInput(name=name, group=group, table=table, cardinality=cardinality, length=length)
