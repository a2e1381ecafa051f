"""What exists, in our own words: access lists of a running configuration as rules, address sets and services. Pure."""

from __future__ import annotations

from configlet.importers.files import documents
from configlet.importers.rules import Draft, draft
from configlet.importers.words import free, slug

__all__ = ["Draft", "documents", "draft", "free", "slug"]
