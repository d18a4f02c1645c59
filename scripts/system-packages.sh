#!/usr/bin/env bash
# Install the Debian packages of the named groups (run, test) that are missing; with none missing it is done at once.
#
# As root it installs with apt-get, otherwise through sudo; where neither works it prints the command and exits 1.
set -euo pipefail

declare -A groups=(
    # pango, pangoft2, harfbuzz-subset: WeasyPrint's text layout and fast embedding of Chinese fonts
    # noto-cjk: last fallback, it has every character of a name; ukai: the 楷体 of the headings
    [run]="python3-venv libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig fonts-noto-cjk
           fonts-arphic-ukai gettext"
    # chromium: the browser tests; postgresql: the second database; poppler-utils: pictures of PDF pages
    [test]="chromium postgresql poppler-utils"
)

wanted=""
for group in "${@:-run}"; do
    [ -n "${groups[$group]:-}" ] || { echo "Unknown group of packages: $group (known: ${!groups[*]})" >&2; exit 2; }
    wanted+=" ${groups[$group]}"
done

if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian or Ubuntu. Please see yourself that you have what these packages hold:$(echo $wanted | fmt -w 100 | sed 's/^/\n  /')" >&2
    exit 0
fi

missing=()
for package in $wanted; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] && continue
    # A Python of one's own that can make environments needs no python3-venv.
    [ "$package" = python3-venv ] && "${PYTHON:-python3}" -c "import ensurepip, venv" 2>/dev/null && continue
    missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

install=(apt-get install --yes --no-install-recommends -o Acquire::Retries=3 "${missing[@]}")
if [ "$(id -u)" -eq 0 ]; then
    as_root=(env DEBIAN_FRONTEND=noninteractive)
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
else
    printf 'These system packages are missing. Ask an administrator to run:\n\n  apt-get update && %s\n\nthen start again.\n' \
        "${install[*]}" >&2
    exit 1
fi
echo "Installing system packages: ${missing[*]} …"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" "${install[@]}" -qq >/dev/null
