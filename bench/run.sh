#!/usr/bin/env bash
# Measures aa against its peers: alternating runs, medians, and the ratio in each round. Usage: run.sh AA [DIRECTORY [ROUNDS]]
# DIRECTORY is backed up; default /usr/include. Results are printed, and appended to bench/results.csv if RECORD=1.
set -euo pipefail
aa=$(realpath "$1")
tree=$(realpath "${2:-/usr/include}")
rounds=${3:-5}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/aa-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
export AA_STATE_DIR=$work/state
cores=$(nproc)

# Wall seconds of a command, in milliseconds. The tree is read once before, so that both find it in memory.
measure() {
  rm -rf "$work/out" "$work/dst" "$work/state" && mkdir "$work/out" "$work/dst"
  find "$tree" -type f -print0 | xargs -0 cat > /dev/null
  local begin end
  begin=$(date +%s%N)
  bash -c "$1" > "$work/log" 2>&1 || { cat "$work/log" >&2 && echo "run.sh: failed: $1" >&2 && exit 1; }
  end=$(date +%s%N)
  echo $(((end - begin) / 1000000))
}

median() { sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# compare NAME TYPE PEER-COMMAND [OPTION OF aa create...]
compare() {
  local name=$1 type=$2 peer=$3 ours theirs round
  shift 3
  : > "$work/ours" && : > "$work/theirs" && : > "$work/ratio"
  for ((round = 0; round < rounds; round++)); do
    theirs=$(measure "cd '$tree' && $peer")
    ours=$(measure "'$aa' create x --root '$tree' --destination '$work/dst' --type $type $*")
    echo "$ours" >> "$work/ours" && echo "$theirs" >> "$work/theirs"
    awk -v a="$ours" -v b="$theirs" 'BEGIN {print a / b}' >> "$work/ratio"
  done
  local line
  line=$(printf '%-34s %8.0f ms %8.0f ms   ratio %.2f' "$name" "$(median < "$work/ours")" "$(median < "$work/theirs")" "$(median < "$work/ratio")")
  echo "$line"
  if [ "${RECORD:-0}" = 1 ]; then
    printf '%s,%s,%s,%s,%s,%.3f\n' "$(date +%F)" "$name" "$(basename "$tree")" "$(median < "$work/ours")" "$(median < "$work/theirs")" \
      "$(median < "$work/ratio")" >> "$here/results.csv"
  fi
}

echo "$(find "$tree" | wc -l) entries, $(du -sh --apparent-size "$tree" | cut -f1), $cores cores, $rounds rounds; ours, the peer's, median of the ratios"
echo "(ours with manifest, digests and everything synced; the peers without)"
compare "tar: GNU tar" tar "tar -cf '$work/out/x' ."
compare "tar: GNU tar -b 512" tar "tar -b 512 -cf '$work/out/x' ."
compare "tar.gz 6: tar + gzip -6" tar.gz "tar -cf - . | gzip -6 > '$work/out/x'" --strength 6
if command -v pigz > /dev/null; then
  compare "tar.gz 6: tar + pigz -6" tar.gz "tar -cf - . | pigz -6 -p$cores > '$work/out/x'" --strength 6
fi
if [ "${ALL:-0}" = 1 ]; then
  compare "tar.bz2: tar + bzip2" tar.bz2 "tar -cf - . | bzip2 > '$work/out/x'"
  compare "tar.xz 6: tar + xz -6 -T$cores" tar.xz "tar -cf - . | xz -6 -T$cores > '$work/out/x'" --strength 6
fi
compare "tar.zst 3: tar + zstd -3 -T$cores" tar.zst "tar -cf - . | zstd -q -3 -T$cores > '$work/out/x'"
