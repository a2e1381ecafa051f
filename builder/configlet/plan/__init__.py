"""What would change on a site, as a value: changes with their way back, flows opened and closed, problems."""

from configlet.plan.compare import Compared, Item, back, compared, plan_of
from configlet.plan.files import from_dict, from_json, to_json, verify

__all__ = ["Compared", "Item", "back", "compared", "from_dict", "from_json", "plan_of", "to_json", "verify"]
