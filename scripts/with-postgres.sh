#!/usr/bin/env bash
# Run a command with a real PostgreSQL of its own: scripts/with-postgres.sh COMMAND [ARGUMENT…]
#
# The server lives in a temporary folder, listens on a socket there and on nothing else, and is stopped and removed when
# the command ends, however it ends. PostgreSQL refuses to run as root: root hands it to the user postgres (else nobody).
# The command finds it by POVERTYAID_DATABASE_URL. Its data is not written through to the disk (fsync off).
set -euo pipefail

[ $# -gt 0 ] || { echo "Usage: $0 COMMAND [ARGUMENT…]" >&2; exit 2; }

# The newest server on the machine; Debian keeps it out of the PATH.
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(pg_config --bindir 2>/dev/null || true)
[ -x "$bin/initdb" ] || { echo "No PostgreSQL server is installed (Debian: apt-get install postgresql)." >&2; exit 1; }

as=()
folder=$(mktemp -d /tmp/povertyaid-postgres.XXXXXX)
if [ "$(id -u)" -eq 0 ]; then
    owner=postgres
    id "$owner" >/dev/null 2>&1 || owner=nobody
    chown "$owner" "$folder"
    as=(runuser --user "$owner" --)
fi
# pg_ctl refuses a working folder that its user cannot enter.
in_folder() { (cd "$folder" && "${as[@]}" "$@"); }

finish() {
    trap '' INT TERM
    in_folder "$bin/pg_ctl" --pgdata="$folder/data" --mode=immediate --silent stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

in_folder "$bin/initdb" --pgdata="$folder/data" --username=povertyaid --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
in_folder "$bin/pg_ctl" --pgdata="$folder/data" --log="$folder/server.log" --silent --wait \
    --options="-k '$folder' -c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off" \
    start || { cat "$folder/server.log" >&2; exit 1; }
"$bin/createdb" --host="$folder" --username=povertyaid povertyaid

export POVERTYAID_DATABASE_URL="postgres://povertyaid@/povertyaid?host=$folder"
# In the background and waited for, so that a signal to this script is answered at once.
"$@" &
child=$!
trap 'kill -INT "$child" 2>/dev/null; wait "$child" 2>/dev/null; exit 130' INT
trap 'kill -TERM "$child" 2>/dev/null; wait "$child" 2>/dev/null; exit 143' TERM HUP
wait "$child"
