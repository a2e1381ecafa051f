"""The site on one Linux machine: simulated switches, real hosts' nftables, real packets (no vendor software)."""
