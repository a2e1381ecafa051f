#!/usr/bin/env bash
# Makes .venv with the locked versions; as root on Debian it also installs the few system packages that are missing.
# Quick when nothing changed. Never uses sudo.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export UV_PROJECT_ENVIRONMENT="$PWD/.venv"
unset VIRTUAL_ENV PYTHONHOME
roots=/etc/ssl/certs/ca-certificates.crt
venv=.venv
beside=.uv
stamp=$venv/.configlet-setup

say() { printf 'setup: %s\n' "$*" >&2; }

# The first Python that is new enough and has these modules, as an absolute path: $CONFIGLET_PYTHON alone when that is said,
# else the system's own, which Debian builds with a profile of its use (a plain build takes a quarter more), else the path's.
python_found() {
    local name
    for name in ${CONFIGLET_PYTHON:-/usr/bin/python3 python3 python3.11 python3.12 python3.13 python3.14}; do
        "$name" -c "import sys${1:+, $1}; assert sys.version_info >= (3, 11); print(sys.executable)" 2>/dev/null && return 0
    done
    return 1
}

uv_found() {
    uv --version >/dev/null 2>&1 || "$beside/bin/uv" --version >/dev/null 2>&1
}

missing_packages() {
    command -v nft >/dev/null || echo nftables
    command -v ip >/dev/null || echo iproute2
    if ! python_found >/dev/null; then
        echo python3 python3-venv
    elif ! uv_found && ! python_found "ensurepip, venv" >/dev/null; then
        echo python3-venv
    fi
    [ -e "$roots" ] || echo ca-certificates
}

install_packages() {
    local missing
    missing=$(missing_packages | xargs)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $missing"
        apt-get update -qq
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
        missing=$(missing_packages | xargs)
    fi
    [ -z "$missing" ] && return 0
    say "these are missing, and only root can install them: $missing"
    say "on Debian: apt-get install --no-install-recommends $missing"
    exit 1
}

# The real ethtool, which tests run over a pretended NIC; without it they are skipped.
for_tests() {
    command -v ethtool >/dev/null && return 0
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
    say "installing ethtool"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ethtool; } \
        >/dev/null || say "ethtool was not installed; tests that need it are skipped"
}

fingerprint() {
    cat uv.lock pyproject.toml scripts/setup.sh | sha256sum
    pwd
    python_found
}

locked_environment() {
    local python uv
    if ! python=$(python_found); then
        say "Python 3.11 or newer is needed${CONFIGLET_PYTHON:+, and CONFIGLET_PYTHON=$CONFIGLET_PYTHON is not one}"
        exit 1
    fi
    # The machine's own roots, so that a company's certificate authority is believed.
    export SSL_CERT_FILE=${SSL_CERT_FILE:-$roots} PIP_CERT=${PIP_CERT:-$roots}
    if uv --version >/dev/null 2>&1; then
        uv=uv
    else
        # uv lives beside the environment, not in it, so that making it anew does not remove uv, and any Python will do.
        "$beside/bin/uv" --version >/dev/null 2>&1 ||
            { "$(python_found "ensurepip, venv")" -m venv "$beside" &&
              "$beside/bin/python" -m pip install -q --disable-pip-version-check "uv>=0.13"; }
        uv=$beside/bin/uv
    fi
    say "installing the locked Python packages into $venv"
    "$uv" sync --frozen --no-progress --quiet --compile-bytecode --python "$python"
}

# Where Python is told to write no bytecode, every command would compile all of it anew.
compiled() {
    "$venv/bin/python" -m compileall -q builder
}

# The XDP program, where clang is; everything else works without it, and `configlet doctor` says what is missing.
bpf() {
    command -v clang >/dev/null || return 0
    "$venv/bin/python" scripts/bpf.py || say "the XDP program was not built; everything else works"
}

install_packages
for_tests
if [ -x "$venv/bin/configlet" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint)" ]; then
    compiled
    bpf
    exit 0
fi
locked_environment
fingerprint >"$stamp"
compiled
bpf
say "done"
