#!/bin/sh
# Sees to it that this machine has what the tests on MariaDB + Redis need: the two servers, and what
# mysqlclient is built from. As root on Debian or Ubuntu it installs what is missing; else it says what is.
# Starts no service: the tests run private servers of their own. Exit code 0: everything is here.
# With the argument `chaos`: what a run under fire can use besides.
set -eu

# Debian keeps daemons in sbin, which is not on everybody's PATH.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
python=${PYTHON:-.venv/bin/python}
purpose=${1:-tests}

has() { command -v "$1" >/dev/null 2>&1; }

missing() {
    { has mariadbd && has mariadb-install-db && has mariadb-admin; } || echo mariadb-server
    has redis-server || echo redis-server
    [ "$purpose" != chaos ] || ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || echo libfaketime
    # Once mysqlclient is built, nothing to build it with is needed.
    "$python" -c 'import MySQLdb' 2>/dev/null && return
    has gcc || echo gcc libc6-dev
    has pkg-config || echo pkg-config
    { pkg-config --exists mysqlclient || pkg-config --exists libmariadb || pkg-config --exists mariadb; } 2>/dev/null ||
        echo default-libmysqlclient-dev
    "$python" -c 'import pathlib, sys, sysconfig
sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").is_file())' || echo python3-dev
}

packages=$(missing | tr '\n' ' ')
[ -n "$packages" ] || exit 0

if [ "$(id -u)" != 0 ] || ! has apt-get; then
    echo "The tests on MariaDB + Redis need what this machine lacks. On Debian or Ubuntu: sudo apt-get install $packages"
    exit 1
fi

echo "Installing with apt, for the tests only (no service is started): $packages"

# invoke-rc.d asks this file before it starts a daemon; 101 means no. One that is already there stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
fi

log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # the list is meant to be split
if ! { apt-get update && apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1; then
    tail -n 20 "$log"
    rm -f "$log"
    echo "apt could not install them (above)."
    exit 1
fi
rm -f "$log"

packages=$(missing | tr '\n' ' ')
if [ -n "$packages" ]; then
    echo "Still missing after the installation: $packages"
    exit 1
fi
