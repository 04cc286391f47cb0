#!/usr/bin/env bash
# usage: check_package.sh CMAKE BUILD_DIRECTORY CXX_COMPILER
# Installs the build, moves it, runs it, builds a plugin against nothing but what is installed, and has it loaded.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
# shellcheck disable=SC2034 # installed.sh uses all of them
cmake=$1 build=$2 compiler=$3 prefix=$work/moved
trap 'rm -rf "$work"' EXIT
# shellcheck source=/dev/null
. "$here/installed.sh"

for file in bin/aa include/autoarchive/plugin/sdk.hpp include/autoarchive/plugin/headers_hash.hpp \
  share/autoarchive/schemas/create.schema.json \
  share/man/man1/aa.1 share/man/man5/aa.yaml.5 share/bash-completion/completions/aa; do
  [ -e "$prefix/$file" ] || fail "$file is not installed"
done
run_aa version > "$work/version"
has_line '^aa \(AutoArchive\) [0-9]+\.[0-9]+\.[0-9]+$' "$work/version"
run_aa plugins list > "$work/plugins"
has_line "loaded +org\.autoarchive\.tar-internal .*$prefix/" "$work/plugins"

build_outside "$here/plugin" "$work/build" -DCMAKE_INSTALL_PREFIX="$prefix"
"$cmake" --install "$work/build" > "$work/install.log"
run_aa plugins list > "$work/plugins"
has_line "loaded +org\.example\.greeter 2\.1\.0 .*$prefix/" "$work/plugins"

plugin=$(find "$prefix" -name greeter.so)
exported=$(nm --dynamic --defined-only --format=just-symbols "$plugin")
[ "$exported" = autoarchive_plugin_entry ] || fail "$plugin exports more than its door: $exported"

# Without CMake, with the flags of pkg-config, and with the other compiler if it is there.
pc=$(dirname "$(find "$prefix" -name autoarchive.pc)")
other=$compiler
command -v clang++ > /dev/null && other=clang++
mkdir "$work/byhand"
# shellcheck disable=SC2046 # the flags are words
"$other" -DAA_PLUGIN_NAME='"byhand"' -DAA_PLUGIN_ID='"org.example.byhand"' -DAA_PLUGIN_VERSION='"1.0"' \
  "$here/plugin/greeter.cpp" $(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs autoarchive) \
  -o "$work/byhand/byhand.so" || fail "no plugin by $other and pkg-config"
rm "$plugin" # it has the same provider
run_aa --plugin-dir "$work/byhand" plugins list > "$work/plugins"
has_line "loaded +org\.example\.byhand 1\.0 .*$work/byhand/" "$work/plugins"

# A stranger's plugin for zip: built, validated, routed to, and its archive restored.
build_outside "$here/../../examples/plugin-zip" "$work/zip"
ctest --test-dir "$work/zip" --output-on-failure > "$work/ctest.log" 2>&1 || fail "$(cat "$work/ctest.log")"
mkdir -p "$work/root/empty" "$work/backups"
printf 'some content\n' > "$work/root/file"
ln -s file "$work/root/link"
with_zip() { run_aa --plugin-dir "$work/zip/plugins" "$@"; }
with_zip route x --root "$work/root" --destination "$work/backups" --type zip > "$work/route"
has_line '^  -> zip: chosen' "$work/route"
with_zip create x --root "$work/root" --destination "$work/backups" --type zip > "$work/create.log"
with_zip ls "$work/backups/x.zip" > "$work/ls"
has_line 'file' "$work/ls"
with_zip restore "$work/backups/x.zip" --to "$work/restored" > "$work/restore.log" || fail "$(cat "$work/restore.log")"
diff -r --no-dereference "$work/root" "$work/restored" || fail "the zip is restored to something else"

# The kit as a library for GoogleTest, in an author's own test program: zip passes, and what is no plugin does not.
build_outside "$here/kit" "$work/kit"
"$work/kit/conformance" "$work/zip/plugins/zip.so" > "$work/kit.log" || fail "$(cat "$work/kit.log")"
has_line '\[       OK \] Conformance.truth_damage-is-found-as-declared' "$work/kit.log"
cp "$(find "$prefix" -name 'libautoarchive_core.so.*.*')" "$work/core.so"
if "$work/kit/conformance" "$work/core.so" > "$work/kit.log"; then
  fail "the kit takes a library for a plugin"
fi
has_line 'O-1 fail: AA-P301' "$work/kit.log"

# The guide, word by word.
python3 "$here/run_guide.py" "$here/../../docs/plugin-guide.md" "$prefix" || fail "the guide does not work"
