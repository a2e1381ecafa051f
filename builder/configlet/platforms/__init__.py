"""What the platform folders say: manifests, templates and readers found by looking, never listed by hand."""

from configlet.platforms.manifest import cases, load

__all__ = ["cases", "load"]
