"""One module per data set; each turns its layout on disk into the same samples."""

from facegate.sources.samples import write_samples

__all__ = ["write_samples"]
