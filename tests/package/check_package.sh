#!/usr/bin/env bash
# usage: check_package.sh CMAKE BUILD_DIRECTORY CXX_COMPILER
# Installs the build, moves it, runs it, builds a plugin against nothing but what is installed, and has it loaded.
set -euo pipefail

cmake=$1 build=$2 compiler=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
export CMAKE_GENERATOR=Ninja # which is there; make need not be
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'check_package: %s\n' "$*" >&2
  exit 1
}
has_line() { grep --quiet --extended-regexp "$1" "$2" || fail "$2 has no line like '$1': $(cat "$2")"; }

# Moved after installing, so that a path of the build or of the prefix in any file shows.
"$cmake" --install "$build" --prefix "$work/first" > "$work/install.log"
mv "$work/first" "$work/moved"
prefix=$work/moved
for file in bin/aa include/autoarchive/plugin/sdk.hpp include/autoarchive/plugin/headers_hash.hpp \
  share/autoarchive/schemas/create.schema.json \
  share/man/man1/aa.1 share/man/man5/aa.yaml.5 share/bash-completion/completions/aa; do
  [ -e "$prefix/$file" ] || fail "$file is not installed"
done

# With an empty environment: no configuration and no plugin path of whoever runs this.
run_aa() { env -i HOME="$work" "$@"; }
run_aa "$prefix/bin/aa" version > "$work/version"
has_line '^aa \(AutoArchive\) [0-9]+\.[0-9]+\.[0-9]+$' "$work/version"
run_aa "$prefix/bin/aa" plugins list > "$work/plugins"
has_line "loaded +org\.autoarchive\.tar-internal .*$prefix/" "$work/plugins"

"$cmake" -S "$here/plugin" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_INSTALL_PREFIX="$prefix" > "$work/configure.log" || fail "$(cat "$work/configure.log")"
"$cmake" --build "$work/build" > "$work/build.log" || fail "$(cat "$work/build.log")"
"$cmake" --install "$work/build" > "$work/install.log"
run_aa "$prefix/bin/aa" plugins list > "$work/plugins"
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
run_aa "$prefix/bin/aa" --plugin-dir "$work/byhand" plugins list > "$work/plugins"
has_line "loaded +org\.example\.byhand 1\.0 .*$work/byhand/" "$work/plugins"

# A stranger's plugin for zip: built, validated, routed to, and its archive restored.
"$cmake" -S "$here/../../examples/plugin-zip" -B "$work/zip" -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_CXX_COMPILER="$compiler" > "$work/configure.log" 2>&1 || fail "$(cat "$work/configure.log")"
"$cmake" --build "$work/zip" > "$work/build.log" 2>&1 || fail "$(cat "$work/build.log")"
ctest --test-dir "$work/zip" --output-on-failure > "$work/ctest.log" 2>&1 || fail "$(cat "$work/ctest.log")"
mkdir -p "$work/root/empty" "$work/backups"
printf 'some content\n' > "$work/root/file"
ln -s file "$work/root/link"
with_zip() { run_aa "$prefix/bin/aa" --plugin-dir "$work/zip/plugins" "$@"; }
with_zip route x --root "$work/root" --destination "$work/backups" --type zip > "$work/route"
has_line '^  -> zip: chosen' "$work/route"
with_zip create x --root "$work/root" --destination "$work/backups" --type zip > "$work/create.log"
with_zip ls "$work/backups/x.zip" > "$work/ls"
has_line 'file' "$work/ls"
with_zip restore "$work/backups/x.zip" --to "$work/restored" > "$work/restore.log" || fail "$(cat "$work/restore.log")"
diff -r --no-dereference "$work/root" "$work/restored" || fail "the zip is restored to something else"

# The guide, word by word.
python3 "$here/run_guide.py" "$here/../../docs/plugin-guide.md" "$prefix" || fail "the guide does not work"
