"""Simulated network cards. What they do is written from published headers; none of it was tried on hardware."""
