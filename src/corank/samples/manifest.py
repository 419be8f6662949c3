"""The manifest of a samples folder: where it came from, what is in it, and a fingerprint of the content."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from corank.config import Config
from corank.errors import CorankError
from corank.files import read_json, write_json
from corank.samples.config import Recipe, SampleConfig

SPLITS = ("train", "valid", "test")
"""The splits, by time."""

LABELS = (
    "label_click",
    "label_purchase",
    "label_source",
    "purchase_source",
    "weight",
    "anywhere_click",
    "anywhere_purchase",
)
"""The list columns that say what became of a sample, in the order of the store."""

QUERY_SOURCE = "query_source"
"""The request column that says where its query comes from."""

MANIFEST = "manifest.json"
"""The manifest's file name."""


class InputFile(Config):
    """One Parquet file that was read.

    Attributes:
        name: path below the log folder.
        bytes: its size.
        rows: its rows.
        footer: SHA-256 of its Parquet footer, which holds sizes and statistics of every column.
    """

    name: str
    bytes: int
    rows: int
    footer: str


class Column(Config):
    """A column of the splits.

    Attributes:
        type: the Arrow type; of one element where the column is a list.
        kind: `request` for one value a request, `list` for one value an item.
    """

    type: str
    kind: Literal["request", "list"]


class Space(Config):
    """Samples of one part of the space and how many of them are positive."""

    samples: int = 0
    clicks: int = 0
    purchases: int = 0

    def __add__(self, other: Space) -> Space:
        return Space(
            samples=self.samples + other.samples,
            clicks=self.clicks + other.clicks,
            purchases=self.purchases + other.purchases,
        )


class Stage(Config):
    """What a stage of a recipe came to in the training split, the stages before it included."""

    requests: int
    samples: int
    clicks: int
    purchases: int


class SplitSize(Config):
    """A line of the size table.

    Attributes:
        requests: requests, each of them one row.
        requests_without_click: those whose samples are all unclicked.
        exposed, unexposed: samples of the two spaces of logged requests.
        searchified: samples of pseudo requests.
        label_sources: positive samples by the source of their label.
        query_sources: requests by the source of their query: `logged`, or the level of a pseudo request's.
        samples_per_exposed, clicks_per_exposed: samples relative to the exposed ones, clicks relative to the
            exposed ones' own; null where those are none.
    """

    requests: int
    requests_without_click: int
    exposed: Space
    unexposed: Space
    searchified: Space = Space()
    label_sources: dict[str, int]
    query_sources: dict[str, int] = Field(default_factory=dict)
    samples_per_exposed: float | None
    clicks_per_exposed: float | None

    @property
    def total(self) -> Space:
        """All spaces."""
        return self.exposed + self.unexposed + self.searchified


class Manifest(Config):
    """What `corank.samples.build_samples` made.

    Attributes:
        format: version of the store's layout.
        recipe, seed, config: what was asked for, every default resolved.
        engine: what ran the steps.
        versions: packages, corank among them.
        inputs: log table -> its files.
        valid_from, test_from: the cuts between the splits.
        sizes: split -> line of the size table.
        stages: stage of the recipe -> its size in the training split.
        left_out: reason -> requests that are not in the store.
        events: fate of each labelling event -> events (see `docs/reference/samples.md`).
        actions: the actions with touch counts of their own.
        columns: column -> type and kind, in the order of the files.
        items: rows of items.parquet.
        labels: rows of labels.parquet.
        histories: rows of histories.parquet.
        simulated: whether the log came from the simulator; figures on it must say so.
        fingerprint: SHA-256 over the names and bytes of the folder's Parquet files.
    """

    format: Literal[2] = 2
    recipe: Recipe
    seed: int
    config: SampleConfig
    engine: str
    versions: dict[str, str]
    inputs: dict[str, list[InputFile]]
    valid_from: datetime
    test_from: datetime
    sizes: dict[str, SplitSize]
    stages: dict[str, Stage] = Field(default_factory=dict)
    left_out: dict[str, int]
    events: dict[str, int]
    actions: list[str]
    columns: dict[str, Column]
    items: int
    labels: int
    histories: int
    simulated: bool = False
    fingerprint: str


def read_manifest(folder: str | Path) -> Manifest:
    """The manifest of a samples folder.

    Raises:
        CorankError: the folder is not one that `corank samples` made, or its manifest is damaged.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    if not path.is_file():
        what = (
            "not a samples folder (it has no manifest.json)" if folder.is_dir() else "no such samples folder"
        )
        raise CorankError(f"{folder}: {what}; make one with: corank samples LOGS OUT")
    values = read_json(path)
    if not isinstance(values, dict) or "recipe" not in values:
        raise CorankError(f"{path}: not the manifest of a samples folder")
    return Manifest.parse(values, where=str(path))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into its folder."""
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))
