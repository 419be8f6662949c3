"""What happened: the five log tables and their checks, adapters from public data sets, the simulator."""

from corank.logs.tables import LogTables, open_logs

__all__ = ["LogTables", "open_logs"]
