#!/usr/bin/env bash
# usage: texts_test.sh AA
# The manual is what troff wants, and the completion of bash completes.
set -euo pipefail

aa=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'texts_test: %s\n' "$*" >&2
  exit 1
}

for page in aa.1 aa.yaml.5; do # mandoc takes whatever stands behind a dot of the path for the section
  "$aa" manual "${page%.*}" > "$work/$page"
  if command -v groff > /dev/null; then
    groff -man -ww -z "$work/$page" > "$work/said" 2>&1 || fail "$(cat "$work/said")"
    [ ! -s "$work/said" ] || fail "$page: $(cat "$work/said")"
  fi
  if command -v mandoc > /dev/null; then # no date: a build of the same sources makes the same page
    mandoc -T lint -W warning "$work/$page" | grep --invert-match 'missing date' > "$work/said" || true
    [ ! -s "$work/said" ] || fail "$page: $(cat "$work/said")"
  fi
done

# As a user types it, in a shell that has read the script.
printf 'version: 1\narchives: {some: {root: /r, destination: /d}, other: {root: /r, destination: /d}}\n' > "$work/config.yaml"
mkdir "$work/bin"
ln -s "$(realpath "$aa")" "$work/bin/aa"
# As readline hands it over: words, split at "=" and "@" as well.
cat > "$work/type" << 'END'
source <(aa completion bash)
COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=()
rest=$1
while [[ $rest =~ ^[[:space:]]*([^[:space:]=:@]+|[=:@]+) ]]; do
  COMP_WORDS+=("${BASH_REMATCH[1]}")
  rest=${rest:${#BASH_REMATCH[0]}}
done
if [[ -z ${COMP_WORDS[*]} || $rest == [[:space:]]* ]]; then COMP_WORDS+=(''); fi
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_aa
printf '%s ' "${COMPREPLY[@]}"
END
completed() { env PATH="$work/bin:$PATH" AA_CONFIG="$work/config.yaml" bash "$work/type" "$@"; }
is() { [ "$1" = "$2" ] || fail "completed to '$1' instead of '$2'"; }
is "$(completed 'aa stat')" 'status '
is "$(completed 'aa create so')" 'some '
is "$(completed 'aa list ')" 'some other '
is "$(completed 'aa verify --level d')" 'data '
is "$(completed 'aa create --type=tar.x')" 'tar.xz '
is "$(completed 'aa list  --progress=')" 'auto bar plain none '
is "$(completed "aa --config=$work/c")" ' ' # a file: bash's own
is "$(completed 'aa restore some@2 ')" ' ' # a path in the backup
for shell in zsh fish; do
  "$aa" completion "$shell" > "$work/script"
  command -v "$shell" > /dev/null || continue
  "$shell" -n "$work/script" || fail "$shell does not read its script"
done
