#!/usr/bin/env bash
# usage: bad_sectors_test.sh AA BAD_SECTORS_LIBRARY
# A destination on a disk with bad sectors: every command says what can't be read, and brings the rest.
set -euo pipefail

aa=$(realpath "$1")
library=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export AA_STATE_DIR=$work/state
fail() { printf 'FAILED: %s\n%s\n' "$*" "$(cat "$work/said")" >&2; exit 1; }

# usage: on_bad_disk FILE FROM TO STATUS COMMAND...; what the command says is in $work/said
on_bad_disk() {
  local file=$1 from=$2 to=$3 wanted=$4 status=0
  shift 4
  BAD_FILE=/$file BAD_FROM=$from BAD_TO=$to LD_PRELOAD=$library "$@" > "$work/said" 2>&1 || status=$?
  [ $status = "$wanted" ] || fail "status $status instead of $wanted: $*"
}
# usage: expect_restored COUNT: that many files in $work/restored, each as it was
expect_restored() {
  local count=0 file
  for file in "$work/restored"/*; do
    cmp --quiet "$file" "$work/source/${file##*/}" && count=$((count + 1))
  done
  [ $count -ge "$1" ] || fail "$count files came back, and not $1"
  rm -rf "$work/restored"
}
said() { grep --quiet --fixed-strings -- "$1" "$work/said" || fail "this was not said: $1"; }

mkdir "$work/source"
for i in $(seq 100 139); do head -c 200000 /dev/urandom > "$work/source/$i"; done
for type in tar tar.gz; do
  name=home-${type#tar}
  name=${name//./}
  disk=$work/$name
  file=$name.$type
  mkdir "$disk"
  "$aa" create "$name" --root "$work/source" --destination "$disk" --type $type --incremental --quiet
  middle=$(($(stat --format %s "$disk/$file") / 2 / 4096 * 4096))
  here=(--destination "$disk")
  to=(--to "$work/restored")

  echo "== $type: a bad sector in the middle"
  bad=("$file" $middle $((middle + 4096)))
  "$aa" verify "$name" "${here[@]}" --quiet
  on_bad_disk "${bad[@]}" 2 "$aa" verify "$name" "${here[@]}"
  said "at byte $middle: Input/output error"
  for result in whole unread; do
    [ "$(grep --count " $result [0-9a-f]*\$" "$work/state/verified/$name")" = 1 ] || fail "not remembered as $result: $(cat "$work/state/verified/$name")"
  done
  "$aa" verify "$name" "${here[@]}" --quiet
  ! grep --quiet unread "$work/state/verified/$name" || fail "what is whole again is remembered as unread"
  on_bad_disk "${bad[@]}" 2 "$aa" restore "$name" "${here[@]}" "${to[@]}"
  said "at byte $middle: Input/output error"
  expect_restored 20
  mv "$disk/$file.manifest.zst" "$work/manifest"
  on_bad_disk "${bad[@]}" 2 "$aa" restore "$disk/$file" "${to[@]}" --salvage
  expect_restored 20
  on_bad_disk "${bad[@]}" 1 env AA_STATE_DIR="$work/lost" "$aa" rescan "$disk"
  said "left alone"
  [ ! -e "$disk/$file.manifest.zst" ] || fail "rescan made a manifest of what it can't read"
  mv "$work/manifest" "$disk/$file.manifest.zst"

  echo "== $type: a bad sector where it begins"
  bad=("$file" 0 4096)
  on_bad_disk "${bad[@]}" 2 "$aa" verify "$name" "${here[@]}"
  on_bad_disk "${bad[@]}" 2 "$aa" restore "$name" "${here[@]}" "${to[@]}"
  expect_restored 20
  on_bad_disk "${bad[@]}" 2 "$aa" restore "$disk/$file" "${to[@]}" --salvage
  expect_restored 20

  echo "== $type: a manifest that can't be read, and one of which a part can't"
  bytes=$(stat --format %s "$disk/$file.manifest.zst")
  for part in "0 $bytes" "$((bytes / 2)) $((bytes / 2 + 1))"; do
    read -r from to_byte <<< "$part"
    bad=("$file.manifest.zst" "$from" "$to_byte")
    on_bad_disk "${bad[@]}" 2 "$aa" verify "$name" "${here[@]}"
    said "Input/output error"
    on_bad_disk "${bad[@]}" 2 "$aa" restore "$disk/$file" "${to[@]}"
    said "Input/output error"
    expect_restored 40
    # What can't be read now may be whole at another time: nothing is made instead of it.
    before=$(cat "$disk"/* | sha256sum)
    on_bad_disk "${bad[@]}" 1 "$aa" rescan "$disk"
    said "left alone"
    [ "$(cat "$disk"/* | sha256sum)" = "$before" ] || fail "rescan has changed what it can't read"
  done
done

echo "== a bad sector in the middle of a manifest that is read in several pieces"
mkdir "$work/many" "$work/many.d"
for i in $(seq 10000); do echo "$i" > "$work/many/$(printf '%x-%x' $((i * 7919 % 10007)) $((i * 104729 % 1299709)))"; done
"$aa" create many --root "$work/many" --destination "$work/many.d" --type tar --quiet
file=many.tar.manifest.zst
middle=$(($(stat --format %s "$work/many.d/$file") / 2 / 4096 * 4096))
[ $middle -gt 150000 ] || fail "the manifest is too small for what is tried: twice $middle"
for target in many "$work/many.d/many.tar"; do
  here=(--destination "$work/many.d")
  [ $target = many ] || here=()
  on_bad_disk $file $middle $((middle + 4096)) 2 "$aa" restore "$target" "${here[@]}" --to "$work/restored"
  diff --recursive "$work/many" "$work/restored" > "$work/differences" || fail "not all came back: $(head -3 "$work/differences")"
  rm -rf "$work/restored"
done
echo "bad_sectors: all passed"
