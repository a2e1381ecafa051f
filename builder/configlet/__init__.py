"""configlet: one segmentation policy, rendered, proven and pushed to every gate that can see the flow."""

__version__ = "0.1.0"
