#!/usr/bin/env bash
# What only a real process shows: signals, closed descriptors, a full disk on standard output, and kills at random moments. Usage: process_test.sh AA
set -euo pipefail
aa=$(realpath "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/aa-process-XXXXXX")
trap 'rm -rf "$work"' EXIT
export AA_STATE_DIR=$work/state
fail() { echo "FAILED: $*" >&2; exit 1; }

mkdir "$work/source" "$work/backups"
for i in $(seq 300); do head -c 200000 /dev/urandom > "$work/source/$i"; done
create=("$aa" create home --root "$work/source" --destination "$work/backups" --type tar.gz)

echo "== SIGTERM ends within two seconds, with 143, and leaves nothing behind"
"${create[@]}" --strength 9 & pid=$!
sleep 0.2
status=0
kill -TERM $pid 2> /dev/null || true
wait $pid || status=$?
case $status in
  143) [ -z "$(ls "$work/backups")" ] || fail "files are left: $(ls "$work/backups")" ;;
  0) echo "it was done before the signal came" ;;
  *) fail "status $status" ;;
esac

echo "== closed standard descriptors never become an archive's"
"${create[@]}" <&- >&- 2>&-
gzip --test "$work/backups/home.tar.gz"

echo "== a result that can't be printed is a failure"
status=0
"$aa" list home --destination "$work/backups" > /dev/full || status=$?
[ $status -eq 2 ] || fail "status $status"

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

echo "process: all passed"
