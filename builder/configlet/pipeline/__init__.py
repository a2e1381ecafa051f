"""The one module that knows every stage and puts them in order."""

from configlet.pipeline.analysis import analysis
from configlet.pipeline.artifacts import prove, prove_file, render
from configlet.pipeline.cache import Store
from configlet.pipeline.known import check
from configlet.pipeline.planning import plan
from configlet.pipeline.report import Report
from configlet.pipeline.site import Site, open_site
from configlet.pipeline.why import Why, why, why_lines

__all__ = [
    "Report",
    "Site",
    "Store",
    "Why",
    "analysis",
    "check",
    "open_site",
    "plan",
    "prove",
    "prove_file",
    "render",
    "why",
    "why_lines",
]
