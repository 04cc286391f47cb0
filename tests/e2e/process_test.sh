#!/usr/bin/env bash
# What only a real process shows: signals, closed descriptors, full disks, and kills at random moments. Usage: process_test.sh AA
set -euo pipefail
aa=$(realpath "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/aa-process-XXXXXX")
trap 'rm -rf "$work"' EXIT
export AA_STATE_DIR=$work/state
fail() { echo "FAILED: $*" >&2; exit 1; }

mkdir "$work/source" "$work/backups"
for i in $(seq 300); do head -c 200000 /dev/urandom > "$work/source/$i"; done
create=("$aa" create home --root "$work/source" --destination "$work/backups" --type tar.gz)

echo "== a signal ends it within two seconds, with 128 and its number, and leaves nothing behind"
for signal in TERM:143 INT:130 HUP:129; do
  "${create[@]}" --strength 9 & pid=$!
  sleep 0.2
  status=0
  kill -"${signal%:*}" $pid 2> /dev/null || true
  wait $pid || status=$?
  case $status in
    "${signal#*:}") [ -z "$(ls "$work/backups")" ] || fail "files are left: $(ls "$work/backups")" ;;
    0) echo "it was done before the signal came"; rm -rf "$work/backups" "$AA_STATE_DIR"; mkdir "$work/backups" ;;
    *) fail "status $status after SIG${signal%:*}" ;;
  esac
done

echo "== a stop that reaches a run and its parts at once, as systemd's does, lets each of them clear up"
cat > "$work/parts.yaml" << EOF
version: 1
state_dir: $work/state-of-parts
jobs: 2
templates:
  part:
    root: $work/source
    destination: $work/backups
    hooks:
      - at: snapshot
        shell: 'echo "\$AA_ARCHIVE" >> $work/begun; sleep 60'
        release: [sh, -c, 'sleep 0.5; echo "\$AA_ARCHIVE" >> $work/released']
archives:
  one: {extends: part}
  two: {extends: part}
EOF
touch "$work/begun" "$work/released"
env -u AA_STATE_DIR "$aa" --config "$work/parts.yaml" create --all & pid=$!
for _ in $(seq 100); do [ "$(wc -l < "$work/begun")" = 2 ] || sleep 0.1; done
mapfile -t parts < <(pgrep --parent $pid)
status=0
kill -TERM $pid "${parts[@]}"
wait $pid || status=$?
[ $status -eq 143 ] || fail "status $status of a run with parts"
[ "$(sort "$work/released" | tr '\n' ' ')" = "one two " ] || fail "only these were released: $(cat "$work/released")"

echo "== closed standard descriptors never become an archive's"
"${create[@]}" <&- >&- 2>&-
gzip --test "$work/backups/home.tar.gz"

echo "== a result that can't be printed is a failure"
status=0
"$aa" list home --destination "$work/backups" > /dev/full 2> "$work/said" || status=$?
[ $status -eq 2 ] || fail "status $status"
grep --quiet "standard output can't be written to" "$work/said" || fail "it says: $(cat "$work/said")"
{ "$aa" list home --destination "$work/backups" 2> "$work/said" || true; } | true
[ ! -s "$work/said" ] || fail "to a reader that is gone it says: $(cat "$work/said")"

echo "== killed at any moment, every backup that was there restores"
for delay in 0.02 0.05 0.1 0.15 0.2 0.3 0.4 0.6; do
  setsid "${create[@]}" > /dev/null 2>&1 & pid=$!
  sleep $delay
  kill -KILL $pid 2> /dev/null || true
  wait $pid 2> /dev/null || true
  rm -rf "$work/restored"
  "$aa" restore home --destination "$work/backups" --to "$work/restored" > /dev/null || fail "no restore after a kill at $delay"
  diff -r "$work/source" "$work/restored" || fail "another tree after a kill at $delay"
done
"${create[@]}" > /dev/null
[ -z "$(find "$work/backups" -name '*._partial' -o -name '*.journal')" ] || fail "temporary files are left"

# Usage: full_disk WHICH STATE DESTINATION
# In which of the two directories there is no room, the backup fails, what was there restores, and the next run makes it good.
full_disk() {
  local which=$1 status=0
  export AA_STATE_DIR=$2
  local level=("$aa" create small --root "$work/small" --destination "$3" --incremental --quiet)
  "${level[@]}" || fail "no level 0 before the disk was full"
  "$aa" restore small --destination "$3" --to "$work/before" > /dev/null
  head -c 300000 /dev/urandom > "$work/small/large"
  for directory in "$2" "$3"; do
    # What is no file system of its own has room.
    mountpoint --quiet "$directory" && { dd if=/dev/zero of="$directory/filler" bs=4k 2> /dev/null || true; }
  done
  "${level[@]}" 2> "$work/said" || status=$?
  case $status in 2 | 73) ;; *) fail "$which full: status $status: $(cat "$work/said")" ;; esac
  rm -rf "$work/after"
  "$aa" restore small --destination "$3" --to "$work/after" > /dev/null || fail "$which full: no restore"
  diff -r "$work/before" "$work/after" || fail "$which full: another tree"
  rm -f "$2/filler" "$3/filler"
  "${level[@]}" || fail "$which had been full: no backup afterwards"
  [ -z "$(find "$2" "$3" -name '*._partial' -o -name '*.journal')" ] || fail "$which full: temporary files are left"
  "$aa" verify small --destination "$3" --quiet || fail "$which had been full: a backup is not whole"
  rm -rf "$work/before" "$work/after" "$work/small/large"
}

mkdir "$work/small" "$work/state1" "$work/state2" "$work/disk1" "$work/disk2" "$work/disk3" "$work/state3"
echo content > "$work/small/file"
echo "== a full disk under the state, the destination, or both, costs no backup"
if mount -t tmpfs -o size=1m none "$work/state1" 2> /dev/null; then
  mount -t tmpfs -o size=1m none "$work/disk2"
  mount -t tmpfs -o size=1m none "$work/state3"
  mount -t tmpfs -o size=1m none "$work/disk3"
  trap 'umount "$work/state1" "$work/disk2" "$work/state3" "$work/disk3"; rm -rf "$work"' EXIT
  full_disk state "$work/state1" "$work/disk1"
  full_disk destination "$work/state2" "$work/disk2"
  full_disk both "$work/state3" "$work/disk3"
else
  echo "skipped: mounting is not permitted here"
fi

echo "process: all passed"
