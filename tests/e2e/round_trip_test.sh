#!/usr/bin/env bash
# usage: round_trip_test.sh AA TREE [TYPE...]
# Backs a real tree up with both providers and every type, and compares what aa, GNU tar and bsdtar restore of it: names,
# kinds, content, holes aside; modes, owners, times, links, extended attributes, ACLs. As root for owners.
# AA_STRENGTH is passed on; AA_PROVIDERS: only these.
set -euo pipefail

aa=$(realpath "$1")
tree=$(realpath "$2")
shift 2
[ $# -gt 0 ] || set -- tar tar.gz tar.bz2 tar.xz tar.zst
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export AA_STATE_DIR=$work/state

# One line an object: all that a restore has to bring back, but the content.
describe() {
  (cd "$1" && find . -printf '%P\t%y\t%m\t%U:%G\t%T@\t%n\t%l' \( -type d -printf '\n' -o -printf '\t%s\n' \) | LC_ALL=C sort)
  (cd "$1" && getfattr --recursive --dump --no-dereference --match=- --encoding=hex . 2> /dev/null | LC_ALL=C sort)
  (cd "$1" && getfacl --recursive --physical --numeric --skip-base . 2> /dev/null)
}

describe "$tree" > "$work/expected"
same() {
  local name=$1 restored=$2
  describe "$restored" > "$work/found"
  if ! diff "$work/expected" "$work/found" > "$work/differences"; then
    echo "FAILED: $name"
    head -20 "$work/differences"
    return 1
  fi
  diff --recursive --no-dereference --brief "$tree" "$restored" || { echo "FAILED: $name: content"; return 1; }
  echo "$name: same"
  rm -rf "$restored"
}

for provider in ${AA_PROVIDERS:-tar-internal tar-external}; do
  for type in "$@"; do
    rm -rf "$work/out" "$work/state" "$work/a" "$work/g" "$work/b"
    mkdir "$work/out" "$work/g" "$work/b"
    "$aa" create tree --root "$tree" --destination "$work/out" --type "$type" --provider "$provider" --quiet
    "$aa" restore tree --destination "$work/out" --to "$work/a" --quiet
    same "$provider $type by aa" "$work/a"
    tar --extract --preserve-permissions --xattrs --xattrs-include='*' --acls --file "$work/out/tree.$type" --directory "$work/g"
    same "$provider $type by GNU tar" "$work/g"
    bsdtar -x -p --xattrs --acls --file "$work/out/tree.$type" --directory "$work/b"
    touch --reference="$tree" "$work/b" # bsdtar leaves the time of "." alone, in anybody's archive
    same "$provider $type by bsdtar" "$work/b"
  done
done
