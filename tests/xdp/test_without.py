"""Without clang, libbpf or root every other gate works, and doctor says what is missing and how to get it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.xdp.kernel import OBJECT, impossible
from tests.xdp.without import copied, run, without_clang

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="playing an ordinary user takes root")
LAWS = ("pytest", "-p", "no:cacheprovider", "-rs", "tests/xdp/test_swaps.py")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copied(tmp_path)


def test_without_root_the_gates_are_checked_and_doctor_says_what_is_missing(copy: Path) -> None:
    status, said = run(copy, "configlet", "check", "dc1", "--at", "2026-11-24", nobody=True)
    assert (status, "check: ok" in said) == (0, True), said
    _, said = run(copy, "configlet", "doctor", nobody=True)
    assert "MISSING root for XDP" in said and "MISSING XDP program" in said
    assert "apt install clang libbpf-dev" in said
    assert "XDP tables cannot be loaded here" in said


def test_without_clang_the_laws_of_the_kernel_are_skipped_with_the_reason(copy: Path) -> None:
    status, said = run(copy, *LAWS, path=without_clang(copy))
    assert (status, "1 skipped" in said) == (0, True), said
    assert "clang is not here" in said and "apt-get install" in said


@pytest.mark.skipif(bool(impossible()), reason=f"the XDP program cannot be loaded here: {impossible()}")
def test_without_libbpf_doctor_and_the_loader_name_it(copy: Path) -> None:
    shutil.copy(OBJECT, copy / "builder/configlet/hostside/xdp.bpf.o")
    _, said = run(copy, "configlet", "doctor", no_libbpf=True)
    assert "MISSING libbpf" in said and "apt install libbpf1" in said
    status, said = run(copy, *LAWS, no_libbpf=True)
    assert (status, "1 skipped" in said, "libbpf.so.1 is not on this host" in said) == (0, True, True), said
