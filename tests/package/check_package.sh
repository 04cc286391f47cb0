#!/usr/bin/env bash
# usage: check_package.sh CMAKE BUILD_DIRECTORY CXX_COMPILER
# Installs the build, moves it, runs it, builds a plugin against nothing but what is installed, and has it loaded.
set -euo pipefail

cmake=$1 build=$2 compiler=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'check_package: %s\n' "$*" >&2
  exit 1
}
has_line() { grep --quiet --extended-regexp "$1" "$2" || fail "$2 has no line like '$1': $(cat "$2")"; }

# Moved after installing, so that a path of the build or of the prefix in any file shows.
"$cmake" --install "$build" --prefix "$work/first" > "$work/install.log"
mv "$work/first" "$work/moved"
prefix=$work/moved
for file in bin/aa include/autoarchive/plugin/sdk.hpp include/autoarchive/plugin/headers_hash.hpp; do
  [ -e "$prefix/$file" ] || fail "$file is not installed"
done

# With an empty environment: no configuration and no plugin path of whoever runs this.
run_aa() { env -i HOME="$work" "$@"; }
run_aa "$prefix/bin/aa" version > "$work/version"
has_line '^aa \(AutoArchive\) [0-9]+\.[0-9]+\.[0-9]+$' "$work/version"
run_aa "$prefix/bin/aa" plugins list > "$work/plugins"
has_line "loaded +org\.autoarchive\.tar-internal .*$prefix/" "$work/plugins"

"$cmake" -S "$here/plugin" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_INSTALL_PREFIX="$prefix" > "$work/configure.log" || fail "$(cat "$work/configure.log")"
"$cmake" --build "$work/build" > "$work/build.log" || fail "$(cat "$work/build.log")"
"$cmake" --install "$work/build" > "$work/install.log"
run_aa "$prefix/bin/aa" plugins list > "$work/plugins"
has_line "loaded +org\.example\.greeter 2\.1\.0 .*$prefix/" "$work/plugins"

plugin=$(find "$prefix" -name greeter.so)
exported=$(nm --dynamic --defined-only --format=just-symbols "$plugin")
[ "$exported" = autoarchive_plugin_entry ] || fail "$plugin exports more than its door: $exported"
