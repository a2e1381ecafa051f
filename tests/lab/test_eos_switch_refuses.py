"""What the simulated EOS switch refuses, and in which words: nothing that it does not know is a success."""

from __future__ import annotations

import base64
import json
import socket
import ssl
from typing import Any

import pytest

from configlet.lab.personalities import eos
from configlet.lab.switch import CommandFailed, Switch
from configlet.model.problem import Refused
from tests.lab.eos_bench import PASSWORD, USER, Planes, authority, make, served


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return authority(tmp_path_factory.mktemp("trust"))


@pytest.fixture
def planes() -> Planes:
    return Planes()


@pytest.fixture
def switch(planes: Planes) -> Switch:
    return make(speed=100, planes=planes)


@pytest.mark.parametrize(
    ("kind", "arg"),
    [
        ("explode", ""), ("stall", ""), ("stall", "soon"), ("stall", "-1"), ("stall", "1e9"), ("reject-line", "("),
        ("reject-line", ""), ("unbind", "Vlan999"), ("unbind", "Vlan110 both"), ("ignore-acl", "x"),
        ("hold-lock", "x"), ("clear", "rain"),
        ("drop-after-commit", ""), ("reboot", "nan"),
    ],
)  # fmt: skip
def test_a_fault_that_does_not_exist_is_refused(switch: Switch, kind: str, arg: str) -> None:
    with pytest.raises(Refused):
        switch.fault(kind, arg)
    assert switch.faults() == {}


def test_a_fault_that_the_switch_cannot_take_at_the_moment_is_refused(switch: Switch) -> None:
    for n in range(5):
        switch.run(["enable", f"configure session s{n}", "end"])
    with pytest.raises(Refused, match="Maximum number of pending sessions"):
        switch.fault("hold-lock")
    assert switch.faults() == {}


@pytest.mark.parametrize(
    "command",
    [
        "show interfaces status", "show", "show running-config all", "configure session", "configure session a commit b",
        "configure session a commit timer 00:00:00", "configure session a commit timer 5", "configure checkpoint save x",
        "copy tftp://192.0.2.1/x running-config", "copy running-config", "reload", "bash ls", "delete flash:x", "clear ip x",
        "commit", "rollback clean-config", "hostname x", "no ip access-list x", "en", "sh ver", "show version | json",
        "show hostname\nreload now", "configure session a\x00",
    ],
)  # fmt: skip
def test_a_command_that_is_not_known_is_never_a_success(switch: Switch, command: str) -> None:
    before = switch.running_text()
    with pytest.raises(CommandFailed, match="invalid command: I"):
        switch.run(["enable", command], "text")
    assert switch.running_text() == before


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        (["show running-config"], 1002), (["configure"], 1002), (["enable", "show running-config"], 1003),
        (["enable", "configure session x abort"], 1000), (["enable", "configure session x commit"], 1000),
        (["enable", "show session-config named x diffs"], 1000), (["enable", "configure replace flash:none"], 1000),
        ([{"cmd": "show version", "input": "y"}], 1002),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_with_the_code_of_eapi(switch: Switch, commands: list[Any], code: int) -> None:
    with pytest.raises(CommandFailed) as failed:
        switch.run(commands)
    assert failed.value.failure.code == code
    assert failed.value.failure.index == len(commands)


def test_lines_outside_a_session_become_active_where_the_list_of_commands_ends(switch: Switch, planes: Planes) -> None:
    lines = ["ip access-list a", "permit tcp any any eq 22", "remark  two  blanks ! kept", "deny ip any any"]
    switch.run(["enable", "configure", *lines, "interface Vlan120", "ip access-group a out", "no shutdown"])
    shown = (
        "ip access-list a\n   10 permit tcp any any eq ssh\n   20 remark two  blanks ! kept\n   30 deny ip any any\n"
    )
    assert shown in switch.running_text()
    assert len(planes.given) == 1
    with pytest.raises(CommandFailed):
        switch.run(["enable", "configure", "ip access-list a", "no 30", "nonsense"])
    assert "30 deny" not in switch.running_text()
    switch.run(["enable", "configure", "interface Vlan120", "no ip access-group out", "no ip access-list a"])
    assert switch.running_text() == switch.startup_text().replace("startup", "running")


def test_five_sessions_may_be_pending_and_no_more(switch: Switch) -> None:
    for n in range(5):
        switch.run(["enable", f"configure session s{n}", "end"])
    with pytest.raises(CommandFailed, match="Maximum number of pending sessions"):
        switch.run(["enable", "configure session s5", "end"])


def test_a_completed_session_cannot_be_entered_again(switch: Switch) -> None:
    switch.run(["enable", "configure session s", "ip access-list a", "commit"])
    with pytest.raises(CommandFailed, match="already committed"):
        switch.run(["enable", "configure session s"])
    assert list(switch.run(["show configuration sessions"])[0]["sessions"]) == ["s"]


def test_committing_again_with_a_timer_starts_it_anew(switch: Switch) -> None:
    before = switch.running_text()
    switch.run(["enable", "configure session s", "ip access-list a", "commit timer 00:01:00"])
    switch.run(["enable", "configure session s commit timer 10:00:00"])
    detail = switch.run(["show configuration sessions detail", "show version"])
    assert detail[0]["commitTimerExpireTime"] - detail[1]["uptime"] > 30000
    switch.run(["enable", "configure session s abort"])
    assert switch.running_text() == before


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /command-api HTTP/1.1\r\nAuthorization: {auth}\r\n\r\n", b"405"),
        (b"POST /other HTTP/1.1\r\nAuthorization: {auth}\r\n\r\n", b"404"),
        (b"POST /command-api HTTP/1.1\r\n\r\n", b"401"),
        (b"POST /command-api HTTP/1.1\r\nAuthorization: Basic x\r\n\r\n", b"401"),
        (b"nonsense\r\n\r\n", b""),
        (b"POST /command-api HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b""),
        (b"POST /command-api HTTP/1.1\r\n" + b"x" * 70000 + b"\r\n\r\n", b""),
    ],
)
def test_requests_that_are_not_eapi_get_their_status_or_no_answer(
    switch: Switch, trust: tuple[ssl.SSLContext, ssl.SSLContext], request_bytes: bytes, status: bytes
) -> None:
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode())
    with (
        served(switch, trust[0]) as port,
        socket.create_connection(("127.0.0.1", port)) as plain,
        trust[1].wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        secure.sendall(request_bytes.replace(b"{auth}", b"Basic " + auth))
        try:
            answer = secure.recv(4096)
        except OSError:
            answer = b""
    assert answer.partition(b" ")[2][:3] == status


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"{", -32700), (b"[1]", -32600), (b'{"jsonrpc": "1.0"}', -32600),
        (b'{"jsonrpc": "2.0", "method": "other", "id": 1}', -32601),
        (b'{"jsonrpc": "2.0", "method": "runCmds", "params": [], "id": 1}', -32602),
        (b'{"jsonrpc": "2.0", "method": "runCmds", "params": {"version": 9, "cmds": []}, "id": 1}', -32602),
        (b'{"jsonrpc": "2.0", "method": "runCmds", "params": {"version": 1, "cmds": [5]}, "id": 1}', -32602),
        (b'{"jsonrpc": "2.0", "method": "runCmds", "params": {"version": 1, "cmds": [], "x": 1}, "id": 1}', -32602),
        (b'{"jsonrpc": "2.0", "method": "runCmds", "params": {"version": 1, "cmds": [], "format": 1}, "id": 1}', -32602),
    ],
)  # fmt: skip
def test_messages_that_are_not_json_rpc_are_errors(switch: Switch, message: bytes, code: int) -> None:
    assert json.loads(eos.answer(switch, message, "admin"))["error"]["code"] == code
