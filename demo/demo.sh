#!/usr/bin/env bash
# The main job on real input: a tree of some thousand files is backed up by a plugin found at run time, listed, changed, backed up by levels,
# restored and compared. Usage: demo.sh AA [TREE]
set -euo pipefail
aa=$(realpath "$1")
tree=${2:-/usr/include}
work=$(mktemp -d "${TMPDIR:-/tmp}/aa-demo-XXXXXX")
trap 'chmod -R u+rwX "$work"; rm -rf "$work"' EXIT
export AA_STATE_DIR=$work/state AA_CONFIG=$work/config.yaml

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ aa %s\n' "$*" && "$aa" "$@"; }
expect_equal() { diff --recursive --no-dereference --exclude='*.fifo' "$1" "$2" && printf 'equal: %s and %s\n' "$1" "$2"; }

mkdir "$work/source" "$work/backups" "$work/tar"
cp -a "$tree" "$work/source/tree"
cat > "$AA_CONFIG" <<YAML
version: 1
defaults: {destination: $work/backups}
archives:
  plain:
    root: $work/source
    type: tar.zst
  levels:
    root: $work/source
    incremental: true
    keep: {generations: 2}
YAML

say "Which plugins are there, and which provider gets which archive?"
run plugins list
run route

say "A full backup in this process"
run create plain
(cd "$work/backups" && sha256sum --check plain.tar.zst.sha256)

say "Levels by GNU tar: everything, then what has changed"
run create levels
cp -a "$work/source" "$work/then"
rm -r "$work/source/tree/linux" 2> /dev/null || rm -r "$(find "$work/source/tree" -mindepth 1 -type d | head -n 1)"
echo "a new file" > "$work/source/tree/new"
run create levels
run list

say "Both points in time come back, and the plain backup, too"
run restore plain --to "$work/restored-plain"
run restore levels@0 --to "$work/restored-0"
run restore levels --to "$work/restored-1"
expect_equal "$work/then" "$work/restored-plain"
expect_equal "$work/then" "$work/restored-0"
expect_equal "$work/source" "$work/restored-1"

say "The same without aa: plain tar files, restored by GNU tar"
for level in "" .1; do
  tar --extract --listed-incremental=/dev/null --file "$work/backups/levels$level.tar.gz" --directory "$work/tar"
done
expect_equal "$work/source" "$work/tar"

say "The demo has ended well."
