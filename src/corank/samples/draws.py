"""Seeded pseudo-random keys made of plain integer arithmetic, so that every engine draws the same rows.

Integer ids go through rounds of `x -> (x + k)^3 mod p`: the cube is a permutation of the integers mod p
where 3 does not divide p - 1, and no product leaves int64. Text ids go through MD5, which every engine has.
"""

from __future__ import annotations

import hashlib
from typing import Any

import ibis
import ibis.expr.types as ir

P = 2_147_483_579
"""A prime below 2^31 with p mod 3 = 2, so that cubing permutes the integers mod p."""

P_HIGH = 2_147_483_647
"""A second prime modulus: the two remainders together tell int64 ids apart, low parts and high."""


MOST_SHARDS = 256
"""Shards that text ids can be told apart for: the values of two letters of their MD5."""


def constant(seed: int, purpose: str, index: int) -> int:
    """A fixed number in [0, P) for a seed and a purpose."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % P


def request_key(request_id: ir.Column, seed: int, purpose: str) -> ir.Column:
    """A key of each request: an integer in [0, P), or MD5 text for text ids."""
    if request_id.type().is_string():
        return (ibis.literal(f"{seed}/{purpose}/") + request_id).hexdigest("md5")
    return mix(request_id, *(constant(seed, purpose, index) for index in range(3)))


def item_key(
    item_id: ir.Column, request_id: ir.Column, keys: tuple[ir.Column, ir.Column], seed: int
) -> ir.Column:
    """A key of each item of a request; `keys` are two integer `request_key`s of different purpose.

    They are read from a column rather than made here, since a request has many items.
    """
    if item_id.type().is_string() or request_id.type().is_string():
        text = ibis.literal(f"{seed}/item/") + request_id.cast("string") + "/" + item_id.cast("string")
        return text.hexdigest("md5")
    return mix(item_id, *keys)


def shard_of(key: ir.Column, shards: int) -> ir.IntegerColumn:
    """The shard, of so many (at most `MOST_SHARDS`), that a user or item belongs to."""
    if key.type().is_string():
        return _first_byte(key.hexdigest("md5")) % shards
    return mix(key, *(constant(0, "shard", index) for index in range(3))) % shards


def portion_of(key: ir.Column, portions: int) -> ir.IntegerColumn:
    """The portion, of so many (at most `MOST_SHARDS`), in which a `request_key` lies; rises with the key."""
    if key.type().is_string():
        return (_first_byte(key) * portions / MOST_SHARDS).floor().cast("int64")
    return (key * portions / P).floor().cast("int64")


def mix(x: ir.IntegerColumn, *keys: Any) -> ir.IntegerColumn:
    """Rounds of adding a key in [0, P) and cubing mod P; the high part of `x` enters the second round.

    Remainders of negative numbers are negative in SQL, hence the added modulus.
    """
    state = x % P + P
    high = x % P_HIGH + P_HIGH
    for index, key in enumerate(keys):
        state = _cube((state + key + high) % P if index == 1 else (state + key) % P)
    return state


def _first_byte(digest: ir.StringColumn) -> ir.IntegerColumn:
    """The value of the first two letters of a hexadecimal text."""
    digits = ibis.literal("0123456789abcdef")
    return digits.find(digest.substr(0, 1)) * 16 + digits.find(digest.substr(1, 1))


def _cube(x: ir.IntegerColumn) -> ir.IntegerColumn:
    return x * x % P * x % P
