"""corank: search and recommendation ranking. Raw logs in, audited samples, trained model, evidence out."""

__version__ = "0.1.0"
