#!/usr/bin/env bash
# usage: check_boost.sh CMAKE BUILD_DIRECTORY CXX_COMPILER
# A plugin that is made with Boost 1.81 works in a host that is made with another Boost. The packages of the two conflict: the newer
# one's headers are fetched once and unpacked aside, in the build directory. Ends with 77, and says why, where that can't be done.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
# shellcheck disable=SC2034 # installed.sh uses all of them
cmake=$1 build=$2 compiler=$3 prefix=$work/moved
trap 'rm -rf "$work"' EXIT

package=libboost1.81-dev
headers=$build/tests/package/$package
if [ ! -d "$headers" ]; then
  fetched=$work/fetched
  mkdir "$fetched"
  if ! (cd "$fetched" && apt-get download "$package") > "$fetched/log" 2>&1; then
    printf 'check_boost: skipped, %s can not be fetched: %s\n' "$package" "$(tail -1 "$fetched/log")"
    exit 77
  fi
  dpkg-deb --extract "$fetched"/"$package"_*.deb "$fetched/unpacked"
  mkdir -p "$headers.new/boost"
  cp -r "$fetched/unpacked/usr/include/boost/." "$headers.new/boost"
  mv "$headers.new" "$headers" # complete, or not there
fi

# shellcheck source=/dev/null
. "$here/installed.sh"
build_outside "$here/boost" "$work/build" -DBOOST_HEADERS="$headers"
mkdir -p "$work/root/d" "$work/backups"
printf 'some content\n' > "$work/root/d/file"
with_plugin() { run_aa --plugin-dir "$work/build/plugins" "$@"; }
with_plugin plugins list > "$work/plugins"
has_line 'loaded +org\.example\.boost-user ' "$work/plugins"
with_plugin plugins validate "$work/build/plugins/boost-user.so" --only life-cycle/ > "$work/validate" || fail "$(cat "$work/validate")"
# The host's events come through its own Boost.Signals2 meanwhile.
with_plugin create x --root "$work/root" --destination "$work/backups" --type names --events "$work/events" > "$work/create.log"
printf '%s\n' . d d/file | cmp - "$work/backups/x.names" || fail "the plugin has stored something else"
has_line '"d/file"' "$work/events"
