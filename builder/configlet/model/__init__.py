"""Frozen values, places and problems. Pure; imports nothing of ours."""
