# shellcheck shell=bash disable=SC2154
# What the checks of the installed product have in common. Sourced with $cmake, $build, $compiler and $work set; installs the build
# into $prefix, which lies in $work.
export CMAKE_GENERATOR=Ninja # which is there; make need not be

fail() {
  printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
  exit 1
}
has_line() { grep --quiet --extended-regexp "$1" "$2" || fail "$2 has no line like '$1': $(cat "$2")"; }

# Moved after installing, so that a path of the build or of the prefix in any file shows.
"$cmake" --install "$build" --prefix "$work/first" > "$work/install.log"
mv "$work/first" "$prefix"

# With an empty environment: no configuration and no plugin path of whoever runs this.
run_aa() { env -i HOME="$work" "$prefix/bin/aa" "$@"; }

# build_outside SOURCE BUILD_DIRECTORY [ARGUMENT OF cmake…]: a project that knows nothing but what is installed.
build_outside() {
  "$cmake" -S "$1" -B "$2" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$compiler" "${@:3}" > "$work/configure.log" 2>&1 ||
    fail "$(cat "$work/configure.log")"
  "$cmake" --build "$2" > "$work/build.log" 2>&1 || fail "$(cat "$work/build.log")"
}
