#!/bin/sh
# Changes the table `inet configlet` of this host so that it comes back by itself unless somebody confirms.
#
#   guard.sh running                  the table as it is, nothing when there is none
#   guard.sh check TOKEN              would staged/TOKEN.nft load? prints the sha256 of it and of what runs
#   guard.sh track                    have the kernel follow connections from now on; prints "new" if it did not yet
#   guard.sh commit TOKEN SECONDS SHA arm the timer, then load staged/TOKEN.nft if what runs still has that sha256
#   guard.sh confirm TOKEN            end the timer, keep the table, save it for the next start
#   guard.sh revert TOKEN             restore what ran before TOKEN now, or drop what was only staged
#   guard.sh pending                  the token whose timer runs
#   guard.sh save | boot | unit       save for the next start | load what was saved | a systemd unit that does so
#
# Exit status: 0 done, 2 nft refused and nothing changed, 3 not in that state, 64 usage, other: failed.
# CONFIGLET_STATE_DIR is where state is kept; CONFIGLET_SPEED divides seconds (for rehearsals).
set -eu
umask 077
PATH="${PATH:-/bin}:/usr/sbin:/usr/bin:/sbin:/bin"
STATE="${CONFIGLET_STATE_DIR:-/var/lib/configlet}"
PENDING="$STATE/pending"
TABLE="table inet configlet"
TRACKING="table inet configlet_tracking"

fail() {
    status=$1
    shift
    echo "$*" >&2
    exit "$status"
}

lock() {
    mkdir -p "$STATE/staged"
    exec 9>"$STATE/lock"
    flock "$@" 9 || fail 3 "another change holds this host's table"
}

running() {
    tables=$(nft list tables inet)
    if printf '%s\n' "$tables" | grep -qx "$TABLE"; then nft "$@" -nn list $TABLE; fi
}

# A text that, loaded as one, leaves exactly what runs now.
replacing() {
    now=$(running "$@")
    printf '%s\ndelete %s\n%s\n' "$TABLE" "$TABLE" "$now"
}

sum() { sha256sum | cut -d ' ' -f 1; }

sum_of_running() {
    now=$(running -s)
    printf '%s\n' "$now" | sum
}

on_disk() { sync "$@" 2>/dev/null || sync; }

boot_id() { cat /proc/sys/kernel/random/boot_id; }

uptime_now() { cut -d . -f 1 /proc/uptime; }

token() { cat "$PENDING/token" 2>/dev/null || true; }

# A restart has already brought back what was saved; a timer that somebody killed is made good here.
tidy() {
    [ -d "$PENDING" ] || return 0
    if [ "$(cat "$PENDING/boot")" != "$(boot_id)" ]; then
        forget
    elif [ "$(uptime_now)" -gt "$(($(cat "$PENDING/until") + 2))" ]; then
        restore
    fi
}

restore() {
    nft -f "$PENDING/before.nft" && forget
}

# One rename is the moment from which nothing is pending.
forget() {
    rm -rf "$STATE/gone"
    mv "$PENDING" "$STATE/gone"
    end_timer "$STATE/gone"
    rm -rf "$STATE/gone"
}

end_timer() {
    pid=$(cat "$1/timer" 2>/dev/null || true)
    [ -n "$pid" ] && [ "$pid" != "$$" ] || return 0
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -q "guard.sh timer $(cat "$1/token") " || return 0
    kill -- "-$pid" 2>/dev/null || true
}

check() {
    [ -f "$STATE/staged/$1.nft" ] || fail 3 "nothing is staged under $1"
    refused=
    complaint=$(nft -c -f "$STATE/staged/$1.nft" 2>&1) || refused=yes
    version=$(nft --version)
    if ! counts_elements; then
        fail 2 "$version cannot count the elements of a verdict map and list them, which the table needs:" \
            "nft 1.0.1 and Linux 5.7 or later can. Nothing changed."
    fi
    [ -z "$refused" ] || fail 2 "$complaint"
    sum <"$STATE/staged/$1.nft"
    sum_of_running
}

# nft 1.0.0 loads such a table, and dies when it is to list it.
counts_elements() {
    case $version in *' v1.0.0 '*) return 1 ;; esac
    [ -z "$refused" ] || printf '%s {\n map m {\n type ipv4_addr : verdict\n counter\n }\n}\n' "$TABLE" | nft -c -f - 2>/dev/null
}

# Our table judges a connection by its first packet. A connection that began before the kernel followed any would be
# judged by whichever packet comes next, so connections are followed first, and the way in is opened anew.
track() {
    lock -w 20
    [ -z "$(running)" ] || return 0
    printf '%s {\n chain c { type filter hook input priority -300; policy accept; ct state new counter\n }\n}\n' \
        "$TRACKING" | nft -f - || exit 2
    echo new
}

untrack() { nft delete $TRACKING 2>/dev/null || true; }

commit() {
    lock -w 20
    tidy
    [ ! -d "$PENDING" ] || fail 3 "another change is pending: $(token)"
    [ -f "$STATE/staged/$1.nft" ] || fail 3 "nothing is staged under $1"
    [ "$(sum_of_running)" = "$3" ] || fail 3 "the table changed since the change was staged"
    speed="${CONFIGLET_SPEED:-1}"
    delay=$(awk -v s="$2" -v v="$speed" 'BEGIN { if (s <= 0 || v <= 0) exit 1; printf "%.3f", s / v }')
    new="$STATE/arming"
    rm -rf "$new"
    mkdir "$new"
    replacing >"$new/before.nft"
    nft -c -f "$new/before.nft" || fail 2 "what runs now could not be restored, so it is not changed"
    printf '%s\n' "$1" >"$new/token"
    boot_id >"$new/boot"
    echo "$(($(uptime_now) + ${delay%.*} + 1))" >"$new/until"
    on_disk "$new"/*
    mv "$new" "$PENDING"
    arm "$1" "$delay"
    if ! nft -f "$STATE/staged/$1.nft"; then
        forget
        exit 2
    fi
    untrack
    rm -f "$STATE/staged/$1.nft"
}

# The timer is a session of its own: no hang-up of the connection reaches it.
arm() {
    setsid sh "$STATE/guard.sh" timer "$1" "$2" </dev/null >/dev/null 2>&1 9>&- &
    tries=0
    until [ -s "$PENDING/timer" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ]; then
            forget
            fail 1 "the timer did not start"
        fi
        sleep 0.05
    done
}

timer() {
    echo $$ >"$PENDING/timer"
    sleep "$2"
    lock
    [ "$(token)" = "$1" ] || exit 0
    until restore; do sleep 1; done
}

confirm() {
    lock -w 20
    tidy
    [ "$(token)" = "$1" ] || fail 3 "$1 is not pending"
    forget
    save
}

revert() {
    lock -w 20
    tidy
    if [ "$(token)" = "$1" ]; then
        restore || exit 2
    elif [ -f "$STATE/staged/$1.nft" ]; then
        untrack
        rm -f "$STATE/staged/$1.nft"
    else
        fail 3 "$1 is neither pending nor staged"
    fi
}

save() {
    replacing -s >"$STATE/active.tmp"
    on_disk "$STATE/active.tmp"
    mv "$STATE/active.tmp" "$STATE/active.nft"
    on_disk "$STATE"
}

pending() {
    [ -d "$PENDING" ] || return 0
    lock -w 20
    tidy
    token
}

boot() {
    lock -w 20
    tidy
    [ ! -f "$STATE/active.nft" ] || nft -f "$STATE/active.nft"
}

unit() {
    cat <<END
[Unit]
Description=Load the table inet configlet before the network comes up
DefaultDependencies=no
RequiresMountsFor=$STATE
After=local-fs.target
Before=network-pre.target
Wants=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh $STATE/guard.sh boot

[Install]
WantedBy=sysinit.target
END
}

main() {
    verb="${1:-}"
    [ $# -eq 0 ] || shift
    case "$verb/$#" in
    running/0 | pending/0 | boot/0 | unit/0 | track/0) "$verb" ;;
    save/0)
        lock -w 20
        save
        ;;
    check/1 | confirm/1 | revert/1 | timer/2 | commit/3) "$verb" "$@" ;;
    *) fail 64 "unknown: $verb with $# arguments" ;;
    esac
}

# Read as a whole before it runs: it may come through a pipe.
main "$@"
exit
