"""Texts that are no strict YAML."""

from __future__ import annotations

from tests.tables.hostile.case import Case

CASES = (
    Case("an empty file", "extra.yaml", "", "", "Empty file", at=("extra.yaml", "")),
    Case("a file of comments", "extra.yaml", "", "# later\n", "Empty file", at=("extra.yaml", "")),
    Case("a list at the top", "extra.yaml", "", "§- a\n- b\n", "Not a map"),
    Case("a word at the top", "extra.yaml", "", "§hello\n", "Not a map"),
    Case("a second document", "devices.yaml", "  border1:", "§---\n  border1:", "Second document"),
    Case("another document behind", "extra.yaml", "", "addresses: {a: [192.0.2.1]}\n§---\nb: 1\n", "Second document"),
    Case("a NUL", "services.yaml", "ssh: [", "ssh: §\x00[", "cannot be seen"),
    Case("an escape character", "policy.yaml", "reason: the order path", "reason: the §\x1b[2Jpath", "cannot be seen"),
    Case("a tab as indentation", "services.yaml", "  ssh:", "§\tssh:", "Tab"),
    Case("a tab in a name", "policy.yaml", "name: engines replicate", "name: engines§\treplicate", "Tab"),
    Case("a byte order mark", "extra.yaml", "", "§\ufeffaddresses: {a: [192.0.2.1]}\n", "cannot be seen", "FEFF"),
    Case(
        "text that runs backwards", "policy.yaml", "owner: trading", "owner: §\u202egnidart", "cannot be seen", "202E"
    ),
    Case("a zero width space in a name", "segments.yaml", "  risk:", "  ri§\u200bsk:", "cannot be seen", "200B"),
    Case(
        "an escaped control character",
        "policy.yaml",
        "reason: the order path",
        'reason: §"a\\u0007b"',
        "cannot be seen",
    ),
    Case("bytes that are not UTF-8", "services.yaml", "ssh:", "§\udcff:", "Not UTF-8", "0xff"),
    Case("an anchor", "services.yaml", "ssh: [", "ssh: §&all [", "Anchor"),
    Case("an alias", "services.yaml", "ssh: [tcp/22]", "ssh: §*all", "Alias"),
    Case("a tag", "services.yaml", "ssh: [", "ssh: §!!python/tuple [", "Tag"),
    Case("a tag that runs code", "extra.yaml", "", "x: §!!python/object/apply:os.system [id]\n", "Tag"),
    Case("a merge key", "devices.yaml", "    model: 7500R", "    §<<: {model: 7500R}", "Merge key"),
    Case("a bomb", "extra.yaml", "", "a: §&a [x, x]\nb: [*a, *a]\n", "Anchor"),
    Case("brackets without end", "extra.yaml", "", "a: " + "[" * 31 + "§[" + "[" * 68, "Nested too deeply", "32"),
    Case("twenty thousand brackets", "extra.yaml", "", "[" * 1000 + "§" + "[" * 19000, "Not YAML"),
    Case("a bracket left open", "services.yaml", "ssh: [tcp/22]\n  eapi", "ssh: [tcp/22\n  eapi§", "Not YAML"),
    Case("a directive", "extra.yaml", "", "§%YAML 1.1\n---\na: b\n", "YAML directive"),
    Case("a list as key", "extra.yaml", "", "? §[a]\n: b\n", "Key is not text"),
    Case(
        "a folded reason",
        "policy.yaml",
        "reason: the order path",
        "reason: §>\n      the order\n      path",
        "Line break",
    ),
    Case("a newline in a name", "policy.yaml", "name: engines replicate", 'name: §"engines\\nno ip"', "Line break"),
    Case(
        "a duplicate key",
        "devices.yaml",
        "    role: border",
        "    role: border\n    §role: leaf",
        "Duplicate key",
        "role",
    ),
    Case("a duplicate host", "rack2.yaml", "", "hosts:\n  §mon1: {}\n", "Duplicate key", "two files"),
    Case("a second policy without tier", "policy2.yaml", "", "policy: []\n", "No tier", at=("policy.yaml", "policy:")),
    Case("a tier that is a word", "rack2.yaml", "", "tier: §first\ninfrastructure: []\n", "Wrong tier"),
    Case("a file with the other suffix", "rack2.yml", "", "hosts: {}\n", "Wrong suffix", at=("rack2.yml", "")),
)
