"""What the IOS-XE driver takes for an error, for a log line, and for a step of a change of ours."""

from __future__ import annotations

import pytest

from configlet.drivers import cli_lists
from configlet.drivers.cli_errors import failure, is_log
from configlet.drivers.cli_session import Refusal, Session

WRONG = (
    "% Invalid input detected at '^' marker.", "% Invalid input", "% Invalid command at '^' marker.",
    "%% Invalid Command", "% Incomplete command.", '% Ambiguous command: "x"', "% Unknown command:",
    "% Duplicate sequence number", "% 10.0.0.0 overlaps with Vlan2", "%Error opening flash:/x (No such file or directory)",
    "%Please turn config archive on before using this command", "Command rejected: not allowed on this port",
    "ERROR: L4 protocol CAM entry allocation failure", "ERROR:no room", "error: configuration database locked by:",
    "     ^", "Rollback aborted after 5 passes", "Failed to apply command ip access-group x in",
    "The following commands are failed to apply to the IOS image.", "Rollback failed. See the log.", "unknown command.",
    "syntax error, expecting <command>", "commit failed: (statements constraint check failed)",
    "CLI error: Invalid command here", "%The input file is not a valid config file.",
    "Configuration mode locked exclusively by user 'a' process '3' from terminal '0'. Please try later.",
    "%ACLMGR-3-ACLMGR_VERIFY_FAIL: Verify failed: client 8200016E, Sufficient free entries are not available",
    "*Jan  1 00:00:00.000: %FM-3-UNLOADING: Unloading input vlan label 4 feature from all TCAMs",
    "2026 Nov  8 09:00:00.123 leaf1 %ACLMGR-3-ACLMGR_VERIFY_FAIL: Verify failed: entries are not available",
    "4w3d: %C4K_HWACLMAN-4-ACLHWPROGERR: Input Security: X - hardware TCAM limit exceeded",
    "*Jan  1 00:00:00.000: %FED_L3_ERRMSG-3-RSRC_ERR: Switch 1 R0/0: fed: Failed to allocate hardware resource",
    "*Jan  1 00:00:00.000: %PARSER-4-BADCFG: Unexpected end of configuration file.",
)  # fmt: skip
FINE = (
    "*Jan  1 00:00:00.000: %SYS-5-CONFIG_I: Configured from console by operator on vty7 (192.0.2.99)#",
    "%LINK-3-UPDOWN: Interface Ethernet1, changed state to up", "%HARDWARE-SLOT0-3-FOO: something", "",
    "*Jan  1 00:00:00.000: %SEC-6-IPACCESSLOGP: list cfglt-Vlan120-in-v4 denied tcp 10.1.10.2(1) -> 10.1.20.2(2), 1 packet",
    "%ACLMGR-6-ACLMGR_CONFIG: a list was programmed",
    "2026 Nov 28 09:00:00 leaf1 %VSHD-5-VSHD_SYSLOG_CONFIG_I: Configured from vty by admin",
    "Building configuration...", "[OK]", "Rollback Done", "Total number of passes: 1",
    "Enter configuration commands, one per line.  End with CNTL/Z.", "Rollback Confirmed Change: rolling to:flash:a-1",
)  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_every_kind_of_refusal_is_a_failure(line: str) -> None:
    assert failure(["all is well", line, "the rest"]) == line.strip()


@pytest.mark.parametrize("line", FINE)
def test_what_only_informs_is_none(line: str) -> None:
    assert failure([line]) == ""


def test_what_a_caret_points_at_is_said_in_the_line_below() -> None:
    assert failure(["      ^", WRONG[0]]) == WRONG[0]


def test_an_answer_that_is_expected_to_begin_with_a_per_cent_sign_may() -> None:
    nothing = "%No Rollback Confirmed Change pending"
    assert failure([nothing]) == nothing
    assert failure([nothing], (nothing,)) == ""


@pytest.mark.parametrize(
    "line", [" 10 remark a: %SYS-5-CONFIG_I: b", " description %LINK-3-UPDOWN: x", "interface Vlan1"]
)
def test_configuration_is_never_taken_for_a_line_of_the_log(line: str) -> None:
    assert not is_log(line)


class Channel:
    """A channel on which each line sent gets an answer; ``late`` comes when nobody waits for anything."""

    def __init__(self, *answers: str, late: str = "") -> None:
        self.answers, self.late, self.out = list(answers), late, ""

    def sendall(self, data: bytes) -> None:
        for _ in data.decode().splitlines():
            self.out += self.answers.pop(0)

    def settimeout(self, seconds: float) -> None: ...

    def recv_ready(self) -> bool:
        self.out, self.late = self.out + self.late, ""
        return bool(self.out)

    def recv(self, size: int) -> bytes:
        data, self.out = self.out[:size], self.out[size:]
        return data.encode()


ALARM = "*Jan  1 00:00:00.000: %ACLMGR-3-ACLMGR_VERIFY_FAIL: Verify failed: no free entries"
AT = "leaf1(config-ext-nacl)#"


@pytest.mark.parametrize(
    "said",
    [f"10 a\r\n{AT}\r\n{ALARM}\r\n{AT}", f"10 a\r\n{ALARM}\r\n{AT}", f"\r\n{ALARM}\r\n{AT}10 a\r\n{AT}"],
)
def test_hardware_that_fails_is_heard_wherever_the_log_says_so(said: str) -> None:
    with pytest.raises(Refusal, match="no free entries"):
        Session(Channel(said), "leaf1#", 1.0).enter(["10 a"], 1)


def test_hardware_that_fails_after_the_answer_is_heard_at_the_next_line() -> None:
    session = Session(Channel(f"10 a\r\n{AT}", f"20 b\r\n{AT}"), "leaf1#", 1.0)
    session.enter(["10 a"], 1)
    session._channel.late = f"\r\n{ALARM}\r\n{AT}"
    with pytest.raises(Refusal, match="no free entries"):
        session.enter(["20 b"], 1)
    session._channel.answers = ["end\r\nleaf1#"]
    assert session.ask("end") == "", "an alarm is told once"


def test_an_error_that_repeats_the_line_where_its_echo_should_stand_is_one() -> None:
    with pytest.raises(Refusal, match="rejected"):
        Session(Channel(f"Command rejected: 10 a\r\n{AT}"), "leaf1#", 1.0).enter(["10 a"], 1)


SHOWN = """!
ip access-list extended cfglt-Vlan120-in-v4
 10 permit tcp any any eq 443
 20 deny ip any any
ip access-list extended cfglt-Vlan120-in-v4.2
 10 deny ip any any
interface Vlan120
 ip address 10.1.20.1 255.255.255.0
 ip access-group cfglt-Vlan120-in-v4 in
!
end
"""
LIST = "ip access-list extended cfglt-Vlan120-in-v4"


@pytest.mark.parametrize(
    "lines",
    [
        [f"no {LIST}"], ["no ip routing"], [LIST, " 10 deny ip any any"], [LIST, " no 15"], [LIST, " counters"],
        ["interface Vlan120", " shutdown"], [" 10 permit ip any any"], ["ip access-list extended THEIRS"],
        [LIST, " no 10 remark"], ["interface Vlan120", " no ip address"],
    ],
)  # fmt: skip
def test_a_line_that_is_no_step_of_ours_or_cannot_be_taken_is_not_sent(lines: list[str]) -> None:
    with pytest.raises(cli_lists.Strange):
        cli_lists.entered(cli_lists.shown(SHOWN), lines)


def test_what_touches_nothing_in_force_is_told_from_the_rest() -> None:
    held = cli_lists.shown(SHOWN)
    assert held.spare() == [f"{LIST}.2"]
    build = [f"no {LIST}.2", f"{LIST}.2", " 10 permit ip any any"]
    rest = ["interface Vlan120", f" ip access-group {LIST.split()[-1]}.2 in"]
    assert cli_lists.phases(held, "\n".join([*build, *rest])) == (build, rest)
    assert cli_lists.phases(held, "\n".join([LIST, " 15 permit ip any any"])) == ([], [LIST, " 15 permit ip any any"])
    assert cli_lists.entered(held, [*build, *rest]).text() == (
        f"{LIST}.2\n 10 permit ip any any\ninterface Vlan120\n ip access-group {LIST.split()[-1]}.2 in\n"
    )


@pytest.mark.parametrize(
    "place", ["line vty 0 4\n access-class NAME in", "ip nat inside source list NAME", "interface Vlan9\n ip policy NAME"]
)
def test_a_list_that_anything_else_names_is_in_use_and_not_taken_away(place: str) -> None:
    """Where a list is named that is gone, everything passes."""
    second = f"{LIST.split()[-1]}.2"
    held = cli_lists.shown(SHOWN + place.replace("NAME", second) + "\n")
    assert held.spare() == []
    with pytest.raises(cli_lists.Strange, match="in use"):
        cli_lists.entered(held, [f"no {LIST}.2"])
    build = [f"{LIST}.2", " 20 permit ip any any"]
    assert cli_lists.phases(held, "\n".join(build)) == ([], build)


def test_an_entry_that_is_there_already_under_another_number_changes_nothing() -> None:
    after = cli_lists.entered(cli_lists.shown(SHOWN), [LIST, " 15 permit tcp any any eq 443", " no 10"])
    assert after.lists[LIST] == [(20, "deny ip any any")]
