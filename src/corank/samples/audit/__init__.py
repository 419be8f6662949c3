"""The audit of a log or of samples: what biases them, what they miss, what changes, before anyone trains."""

from corank.samples.audit.config import AuditConfig
from corank.samples.audit.finding import Finding
from corank.samples.audit.folder import audit_folder
from corank.samples.audit.rates import Rate
from corank.samples.audit.result import Audit, LogAudit, SamplesAudit

__all__ = ["Audit", "AuditConfig", "Finding", "LogAudit", "Rate", "SamplesAudit", "audit_folder"]
