"""Lines of a simulated IOS-XE switch: what is taken and how it is shown, what is refused and in which words."""

from __future__ import annotations

import pytest

from configlet.lab.switch_cli import Console
from configlet.lab.switch_ios import IosSwitch
from configlet.model.problem import Refused
from tests.lab.cli_bench import make_ios, shell

MARKER = "^\n% Invalid input detected at '^' marker.\n\n"


@pytest.fixture
def switch() -> IosSwitch:
    return make_ios(speed=60)


def configured(switch: IosSwitch, *lines: str) -> list[str]:
    """What each configuration line is told."""
    return shell(switch, "configure terminal", *lines)[1:]


def body(switch: IosSwitch) -> str:
    """What runs, without what changes by itself."""
    return shell(switch, "show running-config | exclude ^!|^Current")[0]


@pytest.mark.parametrize(
    ("entered", "shown"),
    [
        ("10 permit tcp any any eq 80", " 10 permit tcp any any eq www"),
        ("10 permit tcp any any eq 443", " 10 permit tcp any any eq 443"),
        ("10 permit udp any any eq 514", " 10 permit udp any any eq syslog"),
        ("10 permit tcp any any eq 514", " 10 permit tcp any any eq cmd"),
        ("10 permit tcp any any eq syslog", " 10 permit tcp any any eq cmd"),
        ("10 permit udp host 0.0.0.0 eq 68 any eq 67", " 10 permit udp host 0.0.0.0 eq bootpc any eq bootps"),
        ("10 permit 6 10.1.2.3 0.0.0.255 any", " 10 permit tcp 10.1.2.0 0.0.0.255 any"),
        ("10 permit ip 10.1.2.3 0.0.0.0 0.0.0.0 255.255.255.255", " 10 permit ip host 10.1.2.3 any"),
        ("10 permit icmp any any 8", " 10 permit icmp any any echo"),
        ("10 permit icmp any any 3 4", " 10 permit icmp any any packet-too-big"),
        ("10 permit icmp any any 200 1", " 10 permit icmp any any 200 1"),
        ("permit ip any any", " 10 permit ip any any"),
        ("  30   permit   tcp any any   established  log", " 30 permit tcp any any established log"),
        ("10 deny ip any any fragments", " 10 deny ip any any fragments"),
        ("10 remark  two  words # here", " 10 remark two  words # here"),
        ("remark first", " 10 remark first"),
    ],
)
def test_an_ipv4_entry_is_shown_as_the_vendor_shows_it(switch: IosSwitch, entered: str, shown: str) -> None:
    assert configured(switch, "ip access-list extended web", entered) == ["", ""]
    assert f"ip access-list extended web\n{shown}\n" in body(switch)


@pytest.mark.parametrize(
    ("entered", "shown"),
    [
        ("sequence 10 permit tcp any any eq 80", " sequence 10 permit tcp any any eq www"),
        ("permit ipv6 2001:db8::5/64 host 2001:db8::1", " sequence 10 permit ipv6 2001:DB8::/64 host 2001:DB8::1"),
        ("permit icmp any any 135", " sequence 10 permit icmp any any nd-ns"),
        ("permit 58 any any", " sequence 10 permit icmp any any"),
        ("permit ipv6 ::/0 ::1/128", " sequence 10 permit ipv6 any host ::1"),
        ("remark words", " remark words"),
    ],
)
def test_an_ipv6_entry_is_shown_as_the_vendor_shows_it(switch: IosSwitch, entered: str, shown: str) -> None:
    assert configured(switch, "ipv6 access-list web", entered) == ["", ""]
    assert f"ipv6 access-list web\n{shown}\n" in body(switch)


@pytest.mark.parametrize(
    ("mode", "line", "column"),
    [
        ("ip access-list extended web", "10 permit bogus any any", 10),
        ("ip access-list extended web", "10 permit ip 10.0.0.0/8 any", 13),
        ("ip access-list extended web", "10 permit tcp any any eq 70000", 25),
        ("ip access-list extended web", "10 permit tcp any any range 9 5", 30),
        ("ip access-list extended web", "10 permit udp any any established", 22),
        ("ip access-list extended web", "10 permit ip any any eq 5", 21),
        ("ip access-list extended web", "10 permit tcp any any eq 5 fragments", 27),
        ("ip access-list extended web", "10 permit ip any any time-range T", 21),
        ("ip access-list extended web", "0 permit ip any any", 0),
        ("ip access-list extended web", "2147483648 permit ip any any", 0),
        ("ip access-list extended web", "10 permit icmpv6 any any", 10),
        ("ipv6 access-list web", "10 permit ipv6 any any", 0),
        ("ipv6 access-list web", "sequence 10 permit ip any any", 19),
        ("ipv6 access-list web", "sequence 10 permit ipv6 10.0.0.0 0.0.0.255 any", 24),
        ("ipv6 access-list web", "sequence 10 remark x", 12),
        ("ipv6 access-list web", "permit ipv6 object-group G any", 12),
        ("interface Vlan110", "ip access-group web both", 20),
        ("interface Vlan110", "ipv6 access-group web in", 5),
        ("interface Vlan110", "ip address 10.9.9.9 255.255.255.0", 3),
        ("interface GigabitEthernet0/0", "ip access-group web in", 3),
        ("object-group network G", "host 10.0.0.300", 5),
        ("object-group network G", "10.0.0.0 0.0.0.255", 9),
        ("object-group network G", "range 10.0.0.9 10.0.0.5", 15),
        ("object-group service S", "tcp eq 70000", 7),
        ("", "ip access-list standard web", 15),
        ("", "ip access-list web", 15),
        ("", "access-list 100 permit ip any any", 0),
        ("", "interface Vlan999", 10),
        ("", "router bgp 65000", 0),
        ("", "ip access-list extended 99", 24),
    ],
)
def test_a_line_that_is_not_known_is_refused_at_its_word_and_changes_nothing(
    switch: IosSwitch, mode: str, line: str, column: int
) -> None:
    terminal = switch.terminal("admin")
    terminal.line("configure terminal", False)
    if mode:
        assert terminal.line(mode, False) == ""
    before, prompt = body(switch), terminal.prompt
    said = terminal.line(line, False)
    assert said == " " * (len(prompt) + column) + MARKER
    assert (body(switch), terminal.prompt) == (before, prompt)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["10 permit ip any any", "10 deny ip any any"], "% Duplicate sequence number\n"),
        (["10 permit ip any any", "20 permit ip any any"], ""),
        (["10 permit ip any any", "10 permit ip any any"], ""),
        (["10 permit tcp any"], "% Incomplete command.\n\n"),
        (["10"], "% Incomplete command.\n\n"),
        (["no"], "% Incomplete command.\n\n"),
        (["10 remark"], "% Incomplete command.\n\n"),
        (["no 10"], "% Specified sequence number does not exist\n"),
        (["no permit ip any any"], "% Specified access list entry does not exist\n"),
        (["no 10 remark"], "% Specified remark does not exist\n"),
        (["permit ip object-group G any"], "%Object-group G of type network does not exist\n"),
        (["2147483647 permit tcp any any", "permit ip any any"], "% Access list sequence number exceeds the maximum\n"),
        (["no a"], '% Ambiguous command:  "no a"\n'),
    ],
)
def test_a_line_that_is_understood_is_refused_in_the_vendors_words(
    switch: IosSwitch, lines: list[str], said: str
) -> None:
    assert configured(switch, "ip access-list extended web", *lines)[-1] == said


def test_an_equal_entry_is_not_added_under_a_second_number(switch: IosSwitch) -> None:
    configured(switch, "ip access-list extended web", "10 permit ip any any", "20 permit ip any any")
    assert "20 permit" not in body(switch)


def test_remarks_share_the_number_of_their_entry_and_outlive_it_until_they_are_removed(switch: IosSwitch) -> None:
    configured(
        switch,
        "ip access-list extended web",
        "10 remark a",
        "10 remark b",
        "10 permit ip any any",
        "20 permit tcp any any",
    )
    assert " 10 remark a\n 10 remark b\n 10 permit ip any any\n 20" in body(switch)
    configured(switch, "ip access-list extended web", "no 10")
    assert " 10 remark a\n 10 remark b\n 20" in body(switch)
    configured(switch, "ip access-list extended web", "no 10 remark b")
    assert " 10 remark a\n 20" in body(switch)
    configured(switch, "ip access-list extended web", "no 10 remark")
    assert "remark" not in body(switch)


def test_a_list_is_resequenced_with_its_remarks(switch: IosSwitch) -> None:
    configured(switch, "ip access-list extended web", "10 remark a", "10 permit tcp any any", "15 deny ip any any",
               "ip access-list resequence web 100 5")  # fmt: skip
    assert " 100 remark a\n 100 permit tcp any any\n 105 deny ip any any\n" in body(switch)


def test_a_group_in_use_can_be_neither_removed_nor_emptied_and_never_holds_itself(switch: IosSwitch) -> None:
    said = configured(switch, "object-group network G", "10.1.0.0 255.255.0.0", "object-group network H",
                      "group-object G", "object-group network G", "group-object H", "no 10.1.0.0 255.255.0.0",
                      "no object-group network G", "ip access-list extended web", "permit ip object-group H any",
                      "no object-group network H")  # fmt: skip
    assert [line for line in said if line] == [
        "%Object-group G cannot hold itself\n", "%Object-group G cannot be emptied: it is in use\n",
        "%Object-group G cannot be deleted: it is in use\n", "%Object-group H cannot be deleted: it is in use\n",
    ]  # fmt: skip


def test_a_global_line_leaves_the_submode_and_the_prompt_follows(switch: IosSwitch) -> None:
    terminal = switch.terminal("admin")
    seen = []
    for line in ("configure terminal", "ip access-list extended web", "ipv6 access-list web", "interface Vlan110",
                 "object-group network G", "object-group service S", "archive", "vlan 110", "vrf definition trading",
                 "line vty 0 4", "alias exec x show version", "archive", "exit", "exit"):  # fmt: skip
        terminal.line(line, False)
        seen.append(terminal.prompt)
    assert [prompt.removeprefix("leaf1") for prompt in seen] == [
        "(config)#", "(config-ext-nacl)#", "(config-ipv6-acl)#", "(config-if)#", "(config-network-group)#",
        "(config-service-group)#", "(config-archive)#", "(config-vlan)#", "(config-vrf)#", "(config-line)#", "(config)#",
        "(config-archive)#", "(config)#", "#",
    ]  # fmt: skip


def test_commands_may_be_short_and_questions_of_another_mode_need_do(switch: IosSwitch) -> None:
    said = shell(
        switch, "sh ver", "conf t", "do show clock", "show clock", "int Vlan110", "end", "wr", "foo", "show bogus", "e"
    )
    assert "Cisco IOS XE Software, Version 17.12.4" in said[0]
    assert said[2].startswith("*")
    assert said[3].endswith(MARKER)
    assert said[6] == "Building configuration...\n[OK]\n"
    assert said[7] == "% Unknown command or computer name, or unable to find computer address\n"
    assert said[8] == " " * (len("leaf1#") + 5) + MARKER
    assert said[9] == '% Ambiguous command:  "e"\n'


def test_the_configuration_that_is_shown_can_be_read_back_whole(switch: IosSwitch) -> None:
    lines = """object-group network G|host 10.1.1.1|object-group service S|tcp eq 443|ip access-list extended web|10 remark a
        |10 permit object-group S object-group G any|20 deny ip any any|ipv6 access-list web|remark b
        |permit tcp any any eq 22|remark c|interface Vlan110|ip access-group web in|ipv6 traffic-filter web out
        |alias exec cfglt-x show version|hostname other"""
    assert set(configured(switch, *lines.split("|"))) == {""}
    before = body(switch)
    said = shell(switch, "copy running-config flash:all", "configure terminal", "no ip access-list extended web", "end",
                 "configure replace flash:all force")  # fmt: skip
    assert "Rollback Done" in said[-1]
    assert body(switch) == before
    assert shell(switch, "show archive config differences flash:all") == ["!No changes were found\n"]
    assert shell(switch, "configure replace flash:all force")[0].startswith("Total number of passes: 0")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hostname leaf1", "router bgp 65000"),
        ("interface Ethernet48\n", "interface Ethernet47\n"),
        ("\nend\n", "\n"),
        ("version 17.12", "!"),
        (" 20 deny ip any any\n", " 10 deny ip any any\n"),
    ],
)
def test_a_replace_that_the_device_cannot_make_changes_nothing(switch: IosSwitch, old: str, new: str) -> None:
    configured(switch, "ip access-list extended web", "10 permit tcp any any eq 443", "20 deny ip any any")
    shell(switch, "copy running-config flash:all")
    switch.front("").flash.write(
        "flash:/all", switch.front("").flash.read("flash:all").replace(old.encode(), new.encode())
    )
    before = body(switch)
    said = shell(
        switch, "configure replace flash:all force revert trigger error timer 5", "show archive config rollback timer"
    )
    assert "not a valid config file" in said[0] or "original configuration has been successfully restored" in said[0]
    assert said[1] == "%No Rollback Confirmed Change pending\n"
    assert body(switch) == before


def test_enable_asks_three_times(switch: IosSwitch) -> None:
    switch.fault("ask-enable")
    terminal = switch.terminal("admin", "secret")
    terminal.line("enable", False)
    for _ in range(2):
        assert (terminal.hidden, terminal.prompt, terminal.line("wrong", False)) == (True, "Password: ", "")
    assert terminal.line("wrong", False) == "% Bad secrets\n\n"
    assert (terminal.hidden, terminal.prompt) == (False, "leaf1>")


def test_a_fault_that_does_not_exist_is_refused(switch: IosSwitch) -> None:
    for kind, arg in (("explode", ""), ("drop-session", "0"), ("drop-session", "x"), ("reject-line", "("), ("hold-lock", "x"),
                      ("slow-aaa", ""), ("unbind", "Vlan999"), ("ask-enable", "x"), ("clear", "rain")):  # fmt: skip
        with pytest.raises(Refused):
            switch.fault(kind, arg)
    assert switch.faults() == {}


def test_keys_edit_the_line_and_a_question_mark_never_becomes_part_of_it(switch: IosSwitch) -> None:
    console = Console(switch.terminal("admin"))
    shown = console.feed("shox\x7fw verz\x08\r\nnope\x15show clock\r")
    assert (shown, console.lines) == ("", ["show ver", "show clock"])
    assert console.carry_out().startswith("show ver\r\nCisco IOS XE")
    assert console.feed("sho") == "sho"
    assert console.feed("\x7f") == "\b \b"
    assert console.feed("ow ?") == "?\r\n% Help on the command line is not simulated\r\n\r\nleaf1#show ow "


def test_output_is_paged_until_the_length_is_zero(switch: IosSwitch) -> None:
    console = Console(switch.terminal("admin"))
    console.feed("terminal length 10\nshow running-config\nshow clock\n")
    page = console.carry_out()
    assert page.endswith("\r\n --More-- ")
    assert page.partition("show running-config\r\n")[2].count("\r\n") == 9
    assert console.feed("\n").endswith("\r\n --More-- ")
    assert console.feed(" ").count("\r\n") == 9
    assert console.feed("q").endswith("leaf1#")
    assert console.carry_out().startswith("show clock\r\n*")
    console.feed("terminal length 0\nshow running-config\n")
    assert console.carry_out().endswith("end\r\nleaf1#")
