"""What happened: the five log tables and their checks, adapters from public data sets, the simulator."""

from corank.logs.adapters import SOURCES, import_logs
from corank.logs.tables import LogTables, open_logs

__all__ = ["SOURCES", "LogTables", "import_logs", "open_logs"]
