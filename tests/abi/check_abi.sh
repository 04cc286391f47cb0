#!/usr/bin/env bash
# usage: check_abi.sh check|record CMAKE BUILD_DIRECTORY CXX_COMPILER
# Whether plugins of this epoch that exist already still work: the core library has all that it had, in the same form (abidiff against
# core.abi.xz, and the places of virtual functions), and a plugin that was built when the epoch began is loaded, makes a backup, and
# brings it back. `record` writes all anew, which begins an epoch: docs/abi-policy.md. Ends with 77 where nothing is held yet.
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

# Only what the public headers define; types that no function of the library takes count as well, as plugins implement some.
describe() { abidw --headers-dir "$prefix/include" --drop-private-types --load-all-types --no-show-locs --no-corpus-path --no-comp-dir-path "$1"; }

# "CLASS PLACE FUNCTION" of the public classes, from such a description.
virtual_functions() {
  grep --recursive --no-filename --only-matching --extended-regexp '(class|struct) (AA_EXPORT )?[A-Z][A-Za-z]+' "$prefix/include" |
    awk '{ print $NF }' | sort --unique > "$work/classes"
  awk -f "$here/virtual_functions.awk" "$1" | sort --unique | join "$work/classes" -
}

record() {
  build_outside "$source/examples/plugin-zip" "$work/zip" -DCMAKE_BUILD_TYPE=MinSizeRel
  mkdir -p "$held"
  strip -o "$held/zip.so" "$work/zip/plugins/zip.so"
  describe "$library" > "$work/now.abi"
  virtual_functions "$work/now.abi" > "$held/virtual_functions"
  xz -9e --stdout "$work/now.abi" > "$held/core.abi.xz"
  printf '%s\n' "$epoch" > "$held/epoch"
}

check_library() {
  local remedy="add a new interface instead, or begin another epoch (docs/abi-policy.md)"
  command -v abidiff > /dev/null || skip "abidiff is not there; install abigail-tools"
  xz --decompress --stdout "$held/core.abi.xz" > "$work/held.abi"
  describe "$library" > "$work/now.abi"
  # Of classes that there were; new ones may come.
  virtual_functions "$work/now.abi" | awk 'NR == FNR { known[$1]; next } $1 in known' "$held/virtual_functions" - > "$work/virtual"
  diff "$held/virtual_functions" "$work/virtual" > "$work/differs" ||
    fail "virtual functions of epoch $epoch have changed; $remedy: $(cat "$work/differs")"
  abidiff --no-added-syms --non-reachable-types "$work/held.abi" "$work/now.abi" > "$work/abidiff" ||
    fail "the ABI of epoch $epoch has changed; $remedy: $(cat "$work/abidiff")"
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
check_library
