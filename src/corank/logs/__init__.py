"""What happened: the five log tables and their checks, adapters from public data sets, the simulator."""

from corank.logs.adapters import SOURCES, ImportReport, import_logs
from corank.logs.check import check_logs
from corank.logs.report import LogReport
from corank.logs.tables import LogTables, open_logs

__all__ = ["SOURCES", "ImportReport", "LogReport", "LogTables", "check_logs", "import_logs", "open_logs"]
