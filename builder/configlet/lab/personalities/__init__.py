"""Management interfaces of the simulated switches, one module for each platform."""
