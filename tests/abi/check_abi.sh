#!/usr/bin/env bash
# usage: check_abi.sh check|record CMAKE BUILD_DIRECTORY CXX_COMPILER
# Whether plugins of this epoch that exist already still work: each public type has the form that it had (types), the core library has
# all functions that it had (abidiff against core.abi.xz), and a plugin that was built when the epoch began is loaded, makes a backup,
# and brings it back. `record` writes all anew, which begins an epoch: docs/abi-policy.md. Ends with 77 where nothing is held yet.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$here/../..
work=$(mktemp -d)
# shellcheck disable=SC2034 # installed.sh uses all of them
mode=$1 cmake=$2 build=$3 compiler=$4 prefix=$work/moved
trap 'rm -rf "$work"' EXIT

epoch=$(sed -n 's/^#define AUTOARCHIVE_ABI_EPOCH \([0-9]*\)u$/\1/p' "$source/core/include/autoarchive/plugin/abi.h")
machine=$(uname -m)
held=$here/$machine
skip() {
  printf 'check_abi: skipped, %s\n' "$*"
  exit 77
}
[ "$epoch" != 0 ] || skip "in epoch 0 the interfaces have not settled"

# shellcheck source=/dev/null
. "$here/../package/installed.sh"
library=$(find "$prefix" -name "libautoarchive_core.so.$epoch")
[ -n "$library" ] || fail "no libautoarchive_core.so.$epoch is installed"

# Only what the public headers define.
describe() {
  abidw --headers-dir "$prefix/include" --drop-private-types --no-show-locs --no-corpus-path --no-comp-dir-path "${@:2}" "$1"
}

# clang++ does not describe types that nobody uses.
is_gcc() { [[ $("$compiler" --version) == *"Free Software Foundation"* ]]; }

# All types that a plugin sees, most of which no function of the library takes, as only plugins implement or use them. They are read
# from one file that includes the public headers: what abidw says of types in the library differs with the place it was built at.
types() {
  sed 's|.*|#include <autoarchive/&>|' "$source/core/include/autoarchive/headers.txt" > "$work/types.cpp"
  "$compiler" -std=c++20 -g -fno-eliminate-unused-debug-types -femit-class-debug-always -shared -fPIC -I "$prefix/include" \
    -o "$work/types.so" "$work/types.cpp"
  describe "$work/types.so" --load-all-types > "$work/types.abi"
  "$here/describe_types.py" "$work/types.abi"
}

record() {
  is_gcc || fail "recording takes g++"
  build_outside "$source/examples/plugin-zip" "$work/zip" -DCMAKE_BUILD_TYPE=MinSizeRel
  mkdir -p "$held"
  strip -o "$held/zip.so" "$work/zip/plugins/zip.so"
  types > "$held/types"
  describe "$library" | xz -9e --stdout > "$held/core.abi.xz"
  printf '%s\n' "$epoch" > "$held/epoch"
}

remedy="add a new interface instead, or begin another epoch (docs/abi-policy.md)"

check_types() {
  if ! is_gcc; then
    printf 'check_abi: public types are not compared, which takes g++\n'
    return
  fi
  types > "$work/types"
  # New types and new enumerators may come; nothing else.
  awk -F ': ' 'NR == FNR { held[$0]; known[$1]; next } $0 in held || $1 in known && $2 !~ / = -?[0-9]+$/' "$held/types" "$work/types" > "$work/now"
  diff "$held/types" "$work/now" > "$work/differs" || fail "types of epoch $epoch have changed; $remedy: $(cat "$work/differs")"
}

check_library() {
  xz --decompress --stdout "$held/core.abi.xz" > "$work/held.abi"
  describe "$library" > "$work/now.abi"
  abidiff --no-added-syms "$work/held.abi" "$work/now.abi" > "$work/abidiff" ||
    fail "the functions of epoch $epoch have changed; $remedy: $(cat "$work/abidiff")"
}

check_plugin() {
  mkdir -p "$work/plugins" "$work/root/d" "$work/backups"
  cp "$held/zip.so" "$work/plugins"
  printf 'some content\n' > "$work/root/d/file"
  with_zip() { run_aa --plugin-dir "$work/plugins" "$@"; }
  with_zip create x --root "$work/root" --destination "$work/backups" --type zip > "$work/create.log" 2>&1 ||
    fail "a plugin that is as old as epoch $epoch makes no backup: $(cat "$work/create.log")"
  with_zip verify "$work/backups/x.zip" > "$work/verify.log" 2>&1 || fail "nor is it verified: $(cat "$work/verify.log")"
  with_zip restore "$work/backups/x.zip" --to "$work/restored" > "$work/restore.log" 2>&1 || fail "nor restored: $(cat "$work/restore.log")"
  diff -r "$work/root" "$work/restored" || fail "the zip is restored to something else"
}

if [ "$mode" = record ]; then
  record
  exit 0
fi
[ -d "$held" ] || skip "nothing was recorded on $machine: ./dev abi"
[ "$(cat "$held/epoch")" = "$epoch" ] || fail "what is held is of epoch $(cat "$held/epoch"), and this is epoch $epoch: ./dev abi"
check_plugin
command -v abidiff > /dev/null || skip "abidiff is not there; install abigail-tools"
check_types
check_library
