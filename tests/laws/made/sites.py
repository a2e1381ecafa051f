"""A site that is big enough to be read by shapes: a hundred hosts, some hundred rules, sets of addresses."""

from __future__ import annotations

from pathlib import Path

HEAD = """site: {name: big, lab: only, controller: [192.0.2.10], icmp_errors_from: [controller]}
failsafe:
  - {name: controller reaches management, from: [controller], to: [management], service: [ssh]}
segments:
  management: {realm: trading, prefixes: [192.0.2.0/24], intra: open}
  clients: {realm: trading, prefixes: [10.1.0.0/16, "2001:db8:1::/64"], intra: open, vlan: 100, labels: {app: oms}}
services: {ssh: [tcp/22], fix: [tcp/9001-9016]}
devices:
  leaf1: {platform: eos, model: 7280R, role: leaf, management: {address: 192.0.2.21, credentials: env/DC1}}
"""


def write(root: Path, hosts: int = 120, rules: int = 400) -> Path:
    """Write the site below ``root``; its folder."""
    site = root / "inventory" / "big"
    site.mkdir(parents=True)
    (site / "site.yaml").write_text(HEAD)
    (site / "hosts.yaml").write_text("hosts:\n" + "".join(map(_host, range(hosts))))
    (site / "policy.yaml").write_text("policy:\n" + "".join(_rule(n, hosts) for n in range(rules)))
    sets = (f"  set-{n}: [10.{n % 200}.{n // 200}.0/28, '2001:db8:{n:x}::/48']\n" for n in range(rules))
    (site / "addresses.yaml").write_text("addresses:\n" + "".join(sets))
    return site


def _host(n: int) -> str:
    return (
        f"  h{n}:\n    nics:\n      ens1: {{model: virtio, attached: [leaf1/Ethernet{n}]}}\n"
        f"    management: {{address: 192.0.2.{n % 200 + 30}, credentials: env/DC1}}\n"
        f"    workloads:\n      w{n}: {{addresses: [10.1.{n // 200 + 1}.{n % 200 + 1}], on: [ens1], segment: clients, "
        f"stack: kernel, labels: {{tier: t{n % 3}}}}}\n"
    )


def _rule(n: int, hosts: int) -> str:
    if n % 5 == 0:
        return (
            f"  # rule {n}\n  - name: rule {n}\n    from: [set-{n}, h{n % hosts}]\n    to: [{{app: oms, tier: t{n % 3}}}]\n"
            f"    service: [fix, tcp/{n + 1}]\n    action: allow\n    reason: because, of {n}\n    expires: 2030-01-01\n"
        )
    return (
        f"  - {{name: rule {n}, from: [set-{n}], to: [h{(n * 7) % hosts}], service: [tcp/{n + 1}], action: allow, "
        f"reason: 'made: {n}'}}\n"
    )
