"""Packet space: boxes, the verdict of one packet, replies, and the joint walk that compares two lists."""
