"""The page of an audit, for whoever decides."""

from corank.report.audit.page import audit_page, write_audit

__all__ = ["audit_page", "write_audit"]
