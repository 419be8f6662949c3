"""What an audit found, as one value: figures, what could not be had, and the findings made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any

from corank.samples.audit.blind_spot import Blind
from corank.samples.audit.config import AuditConfig
from corank.samples.audit.conversions import Conversions
from corank.samples.audit.drift import Drift
from corank.samples.audit.exposure import Exposure
from corank.samples.audit.finding import Finding
from corank.samples.audit.ledger import Credits
from corank.samples.audit.sizes import Sizes
from corank.samples.audit.skew import Group
from corank.samples.audit.sources import LabelSource
from corank.samples.audit.spaces import Spaces
from corank.samples.manifest import Manifest
from corank.samples.split import Cuts


@dataclass(frozen=True)
class LogAudit:
    """The audit of a log.

    Attributes:
        folder, simulated: the log, and whether the simulator made it.
        findings: what is to be known first, worst first.
        absent: figure -> the sentence that says why it is not there, or not whole.
        config, cuts: the settings, and where validation and test begin.
        sizes, exposure, spaces, conversions, drift, blind_spot: the figures; see `docs/reference/audit.md`.
    """

    folder: str
    simulated: bool
    findings: tuple[Finding, ...]
    absent: Mapping[str, str]
    config: AuditConfig
    cuts: Cuts | None
    sizes: Sizes
    exposure: Exposure
    spaces: Spaces
    conversions: Conversions | None
    drift: Drift | None
    blind_spot: tuple[Blind, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {"kind": "logs"} | _attributes(self)


@dataclass(frozen=True)
class SamplesAudit:
    """The audit of samples; as `LogAudit`, and

    Attributes:
        manifest: the manifest, for sizes, label sources and fates of events.
        sources: training samples by the source of their label.
        credits: purchases of the training period by who credits them.
        skew: popularity of training samples beside that of test candidates.
    """

    folder: str
    simulated: bool
    findings: tuple[Finding, ...]
    absent: Mapping[str, str]
    manifest: Manifest
    exposure: Exposure
    spaces: Spaces
    sources: tuple[LabelSource, ...]
    credits: Credits | None
    skew: tuple[Group, ...]
    drift: Drift
    blind_spot: tuple[Blind, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; of the manifest what is shown."""
        shown = (
            "recipe",
            "seed",
            "fingerprint",
            "valid_from",
            "test_from",
            "stages",
            "sizes",
            "left_out",
            "events",
        )
        values: dict[str, Any] = {"kind": "samples"} | _attributes(self)
        values["manifest"] = {name: values["manifest"][name] for name in shown}
        return values


Audit = LogAudit | SamplesAudit
"""What `corank audit` gives."""


def _attributes(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, (AuditConfig, Manifest)):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return _attributes(value)
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value
