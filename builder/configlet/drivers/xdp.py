"""A Linux host's XDP tables; what runs there is ``hostside/xdp.py``. The host needs libbpf.so.1 and Linux 5.10."""

from __future__ import annotations

from configlet.drivers.carried import CarriedDriver


class XdpDriver(CarriedDriver):
    """One host. The login must be root, or have CAP_BPF and CAP_NET_ADMIN."""

    parts = ("xdp.py", "changes.py", "bpf.py", "xdp_host.py", "xdp_tables.py", "xdp.bpf.o")
    """The loader, its parts, and the BPF object that clang made of ``builder/bpf``."""
