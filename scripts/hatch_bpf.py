"""The wheel's build makes the XDP program too, where clang is."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BpfHook(BuildHookInterface[Any]):
    """Builds the objects before the files of the wheel are gathered. Without clang it says so and goes on."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before a build."""
        del version, build_data
        path = Path(self.root) / "scripts" / "bpf.py"
        spec = importlib.util.spec_from_file_location("configlet_bpf", path)
        if spec is None or spec.loader is None:
            return
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if module.main():
            self.app.display_warning("this wheel has no XDP program; every other gate works")
