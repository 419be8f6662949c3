"""Parameters of every family against a closed formula in its sizes, at every size."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch

from corank.models import create_model, list_models, model_config
from corank.models.reference import reference_schema

SCHEMA = reference_schema()
FIELDS, FIELD_TOKENS, KNOTS, GIVEN, CURVES, DOMAINS = 32, 32, 16, 64, 18, 3
ROWS = 100_000 + 10 + 1_000 + 5 + 20_000 + 100_000 + 1_000 + 5_000 + 5_000


def formula(family: str, c: Any) -> dict[str, int]:
    """Parameters of the parts that the family shapes, of `c`, its configuration."""
    E = FIELDS * c.embedding_width
    D, M = getattr(c, "width", 0), getattr(c, "blocks", 0)
    tokens = getattr(c, "tokenizer", None)
    T = tokens.tokens if tokens and tokens.kind == "slices" else FIELD_TOKENS
    k = round(getattr(c, "expansion", 0) * D)
    norm = 2 * D
    ffn, per_token = 2 * D * k + k + D, T * (2 * D * k + k + D)
    match family:
        case "dlrm_mlp":
            return {"mixing": 0, "feed_forward": mlp(E, c.hidden), "head": c.hidden[-1] + 1}
        case "dcnv2":
            cross = c.cross_layers * (E * E + E)
            return {"mixing": cross, "feed_forward": mlp(E, c.hidden), "head": E + c.hidden[-1] + 1}
        case "fm":
            return {"mixing": 0, "feed_forward": 0, "head": 3}
        case "deepfm":
            return {"mixing": 0, "feed_forward": mlp(E - FIELDS, c.hidden), "head": 2 + c.hidden[-1] + 1}
        case "transformer":
            return {"mixing": M * (4 * D * D + norm) + norm, "feed_forward": M * (ffn + norm), "head": D + 1}
        case "hetero_attention":
            mixing = M * (4 * T * (D * D + D) + norm) + norm
            return {"mixing": mixing, "feed_forward": M * (per_token + norm), "head": D + 1}
        case "hiformer":
            composite = 3 * (2 * T * D * c.rank + T * D)
            mixing = M * (composite + T * (D * D + D) + norm) + norm
            return {"mixing": mixing, "feed_forward": M * (per_token + norm), "head": D + 1}
        case "fat":
            projections = 4 * (c.basis * D * D + T * c.basis + T * D)
            mixing = M * (projections + T * T + norm) + norm
            return {"mixing": mixing, "feed_forward": M * (per_token + norm), "head": D + 1}
        case "hhsft":
            T, D, G, hfa, C = 6, c.hfa.width, c.gfa.width, c.hfa, c.gfa.tokens
            k = round(hfa.expansion * D)
            mixing = hfa.blocks * (4 * T * (D * D + D) + 2 * D)
            mixing += 2 * D + 3 * (T * D + 1) * C * G
            forward = hfa.blocks * (T * (2 * D * k + k + D) + 2 * D)
            forward += 2 * C * G + mlp(C * G, (round(c.gfa.expansion * G), G))
            after = esuif(G, c)
            parts = {"mixing": mixing + after["mixing"], "feed_forward": forward + after["feed_forward"]}
            return parts | {"tokenizer": (FIELDS * c.embedding_width + T) * D, "head": after["head"]}
        case "autoint":
            return {"mixing": 4 * M * D * D, "feed_forward": 0, "head": T * D + 1}
        case "rankmixer":
            return {"mixing": M * norm, "feed_forward": M * (per_token + norm), "head": D + 1}
        case "rankmixer_sparse":
            X = c.routing.experts
            experts = T * (D * X + X) + X * per_token
            return {"mixing": M * norm, "feed_forward": M * (experts + norm), "head": D + 1}
        case "tokenmixer_large":
            T, d = T + 1, (T + 1) * D // c.heads
            mixed, plain = c.heads * glu(d, round(c.expansion * d)) + d, T * glu(D, k) + D
            groups = -(-M // c.interval)
            part = {"mixing": D, "feed_forward": M * (mixed + plain), "head": groups * (D + 1)}
            return part | {"tokenizer": E * D + (T - 1) * D + E * D + D}
        case "unimixer" | "unimixer_lite" | "unimixer_lite_factored":
            mixing = M * (mixing_parameters(family, T * D, c.mixing) + D) + (2 * M + 1) * D
            return {"mixing": mixing, "feed_forward": M * T * glu(D, k), "head": D + 1}
        case "unimixer_lite_esuif":
            plain, after = formula("unimixer_lite", c), esuif(D, c)
            return {part: plain[part] + after[part] for part in ("mixing", "feed_forward")} | {
                "head": after["head"]
            }
        case "wukong":
            F, L = c.products, c.combinations
            mixing = feed_forward = 0
            for n in [T, *[F + L] * (M - 1)]:
                mixing += n * c.rank + L * n + ((F + L) * n if n != F + L else 0) + norm
                feed_forward += 2 * n * c.rank + mlp(n * c.rank, (*c.hidden, F * D))
            feed_forward += mlp((F + L) * D, c.last)
            return {"mixing": mixing, "feed_forward": feed_forward, "head": c.last[-1] + 1}
    raise AssertionError(f"{family} has no formula here")


def esuif(D: int, c: Any) -> dict[str, int]:
    """On a representation of width D; the gate reads two user ids, an age and a domain."""
    K, k, gate, head = DOMAINS, 2 * D, D // 2, D // 2
    expert = mlp(D, (k, D))
    dref = 2 * D + (1 + K) * expert + K * mlp(D, (gate, 2))
    dapga = 2 * D + K * expert + mlp(4 * c.embedding_width, (gate, D))
    return {"mixing": dapga, "feed_forward": dref, "head": K * mlp(D, (head, 1))}


def mixing_parameters(family: str, numbers: int, c: Any) -> int:
    B: int = c.block
    b: int = getattr(c, "basis", 0)
    r: int = getattr(c, "rank", 0)
    N = numbers // B
    if family == "unimixer":
        return N * N + N * B * B
    return (2 if family == "unimixer_lite" else 1) * N * r + b * B * B + N * b


def mlp(width: int, hidden: tuple[int, ...]) -> int:
    return sum(a * b + b for a, b in pairwise((width, *hidden)))


def glu(width: int, hidden: int) -> int:
    return 3 * width * hidden + 2 * hidden + width


@pytest.mark.parametrize("name", list_models())
def test_parameters_are_their_formula(name: str) -> None:
    config = model_config(name)
    with torch.device("meta"):
        counts = create_model(name, SCHEMA).parameter_counts()
    w = config.embedding_width
    expected = {"embedding": ROWS * w + CURVES * (KNOTS + 2) * w + GIVEN * w + 2 * w}
    if hasattr(config, "tokenizer") and hasattr(config, "width"):
        tokens = config.tokenizer.tokens if config.tokenizer.kind == "slices" else FIELD_TOKENS
        expected["tokenizer"] = (FIELDS * w + tokens) * config.width
    expected |= formula(name.rpartition("_")[0], config)
    assert {part: counts[part] for part in expected} == expected
