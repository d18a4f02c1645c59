#!/usr/bin/env bash
# Get the free typefaces FandolFang, FandolKai, FandolHei and FandolSong (stand-ins for 仿宋, 楷体, 黑体, 宋体).
#
# They are one folder of Debian's texlive-lang-chinese, whose dependencies (a whole TeX) nobody needs here: the package
# is downloaded and only its fonts are taken. Where the machine has them, or 仿宋_GB2312 itself, nothing is done. A
# download that fails is no error: the papers then print in Noto. It is tried once; `make fonts` tries again.
set -euo pipefail

cd "$(dirname "$0")/.."
tried=var/fonts-tried
[ "${1:-}" = "--again" ] && rm -f "$tried"

have() { fc-list --format '%{family}\n' 2>/dev/null | grep -qE "$1"; }
have 'FandolFang' && exit 0
have 'FangSong_GB2312|仿宋_GB2312' && have 'KaiTi|楷体' && have 'SimHei|黑体' && exit 0
[ -e "$tried" ] && exit 0

notice() {
    mkdir -p "$(dirname "$tried")" && touch "$tried"
    echo "Notice: $1 The papers print in Noto instead of 仿宋; \`make fonts\` tries again." >&2
    exit 0
}
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || notice "the Fandol fonts come as a Debian package."

if [ "$(id -u)" -eq 0 ]; then target=/usr/local/share/fonts/fandol; else target="$HOME/.local/share/fonts/fandol"; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "Fetching the Fandol fonts (49 MB, once) …"
download() { (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 texlive-lang-chinese) 2>"$work/log"; }
# The list of packages may be missing or old; only root can renew it.
download || { [ "$(id -u)" -eq 0 ] && apt-get update -qq && download; } \
    || notice "the Fandol fonts could not be fetched ($(tail -n 1 "$work/log"))."
dpkg-deb --extract "$work"/texlive-lang-chinese_*.deb "$work/files"
mkdir -p "$target"
cp "$work"/files/usr/share/texlive/texmf-dist/fonts/opentype/public/fandol/Fandol{Fang,Kai,Hei,Song}-*.otf "$target/"
cp "$work"/files/usr/share/doc/texlive-doc/fonts/fandol/{COPYING.gz,README} "$target/" 2>/dev/null || true
fc-cache --force "$target"
have 'FandolFang' || notice "the Fandol fonts were copied to $target, but fontconfig does not see them."
