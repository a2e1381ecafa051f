"""An oracle of the policy that shares no code with the product but the inventory's values."""
