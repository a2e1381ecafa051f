"""What would change on a site, as a value: changes with their way back, flows opened and closed, problems."""

from configlet.plan.compare import Item, back, compare
from configlet.plan.files import from_dict, from_json, to_json, verify

__all__ = ["Item", "back", "compare", "from_dict", "from_json", "to_json", "verify"]
