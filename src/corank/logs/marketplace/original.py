"""A simulated log as it lies on disk: how it was made, and whether it is made so again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corank.errors import CorankError
from corank.files import read_json
from corank.logs.marketplace.config import MarketplaceConfig

DESCRIPTION = "simulation.json"
CHECKED = ("items", "users", "requests", "candidates", "events", "truth/requests")
"""Tables of which every row is compared. Tastes, needs and moods lie behind them: a difference in any changes
whole journeys."""


class Original:
    """A folder that `corank logs simulate` made.

    Attributes:
        config, seed: what it was made with.

    Raises:
        CorankError: the folder is not one, or a table of it is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / DESCRIPTION
        if not path.is_file():
            what = f"not a simulated log (it has no {DESCRIPTION})" if folder.is_dir() else "no such folder"
            raise CorankError(f"{folder}: {what}; expected one made by corank logs simulate")
        described = read_json(path)
        if not isinstance(described, dict) or not isinstance(described.get("config"), dict):
            raise CorankError(f"{path}: expected an object with the simulation's 'config' and 'seed'")
        seed = described.get("seed")
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise CorankError(f"{path}: 'seed' = {seed!r}: expected a whole number, 0 or more")
        self.folder, self.seed = folder, seed
        self.config = MarketplaceConfig.parse(described["config"], where=str(path))
        self._rows = {name: _Rows(folder / f"{name}.parquet") for name in CHECKED}

    def compare(self, tables: dict[str, pa.Table]) -> None:
        """Compare what was made again with the next rows of the tables of those names.

        Raises:
            CorankError: a row differs.
        """
        for name, made in tables.items():
            if name in self._rows and not self._rows[name].take(made.num_rows).equals(made):
                raise self._differs(name)

    def finish(self) -> None:
        """Make sure that the log holds no further rows.

        Raises:
            CorankError: it does.
        """
        for name, rows in self._rows.items():
            if rows.take(1).num_rows:
                raise self._differs(name)

    def _differs(self, table: str) -> CorankError:
        return CorankError(
            f"{self.folder}: simulated again, its table {table} comes out otherwise; it was changed, or made"
            " by other versions of corank and numpy or on another kind of processor: simulate it here"
        )


class _Rows:
    """The rows of a Parquet file, taken in pieces of any size."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            file = pq.ParquetFile(path)
        except FileNotFoundError:
            raise CorankError(
                f"{path}: no such file; expected a log as corank logs simulate made it"
            ) from None
        except (OSError, pa.ArrowInvalid):
            raise self._damaged() from None
        self.schema: pa.Schema = file.schema_arrow
        self._batches: Iterator[pa.RecordBatch] = file.iter_batches()
        self._rest = pa.table({name: [] for name in self.schema.names}, schema=self.schema)

    def take(self, rows: int) -> pa.Table:
        """The next rows; fewer where the file ends."""
        pieces, have = [self._rest], self._rest.num_rows
        while have < rows:
            try:
                batch = next(self._batches, None)
            except (OSError, pa.ArrowException):
                raise self._damaged() from None
            if batch is None:
                break
            pieces.append(pa.Table.from_batches([batch], schema=self.schema))
            have += batch.num_rows
        whole = pa.concat_tables(pieces)
        self._rest = whole.slice(rows)
        return whole.slice(0, rows)

    def _damaged(self) -> CorankError:
        return CorankError(f"{self.path}: not readable as Parquet (truncated or damaged?)")
