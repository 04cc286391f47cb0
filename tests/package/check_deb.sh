#!/usr/bin/env bash
# usage: check_deb.sh CPACK BUILD_DIRECTORY
# Makes the Debian package of a build; installs, runs, upgrades, removes and purges it below a directory of its own.
set -euo pipefail

cpack=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
  printf 'check_deb: skipped, %s\n' "$*"
  exit 77
}
fail() {
  printf 'check_deb: %s\n' "$*" >&2
  exit 1
}
has_line() { grep --quiet --extended-regexp "$1" "$2" || fail "$2 has no line like '$1': $(cat "$2")"; }
for program in dpkg dpkg-deb dpkg-shlibdeps; do
  command -v "$program" > /dev/null || skip "there is no $program"
done
[ "$(id -u)" -eq 0 ] || skip "only root can install"

# make_package VERSION: $work/VERSION.deb
make_package() {
  "$cpack" --config "$build/CPackConfig.cmake" -B "$work/pack" -R "$1" > "$work/cpack.log" 2>&1 || fail "$(cat "$work/cpack.log")"
  mv "$work"/pack/autoarchive_"$1"_*.deb "$work/$1.deb"
}
root=$work/root
# Scripts run without a chroot, as there is nothing in it that could run them; what the package depends on is not there either.
below_root() { dpkg --root="$root" --force-script-chrootless --force-depends "$@" > "$work/dpkg.log" 2>&1 || fail "$* $(cat "$work/dpkg.log")"; }
run_aa() { env -i HOME="$work" PATH=/usr/bin:/bin AA_CONFIG="$root/etc/autoarchive/config.yaml" AA_STATE_DIR="$root/var/lib/autoarchive" "$root/usr/bin/aa" "$@"; }

make_package 0.1.0
make_package 0.1.1

dpkg-deb --contents "$work/0.1.0.deb" > "$work/contents"
for file in usr/bin/aa usr/lib/autoarchive/plugins/tar-internal.so usr/share/man/man1/aa.1.gz usr/share/man/man5/aa.yaml.5.gz \
  usr/share/bash-completion/completions/aa usr/share/autoarchive/schemas/create.schema.json etc/autoarchive/config.yaml; do
  has_line " root/root .* \./$file\$" "$work/contents"
done
dpkg-deb --field "$work/0.1.0.deb" > "$work/fields"
has_line '^Depends: .*libc6 \(>= ' "$work/fields"
has_line '^Depends: .*libzstd1' "$work/fields"

mkdir -p "$root"/var/lib/dpkg/{info,updates} "$work/source"
touch "$root/var/lib/dpkg/status" "$root/var/lib/dpkg/available" "$work/source/file"
below_root --install "$work/0.1.0.deb"
run_aa version > "$work/version"
has_line '^aa \(AutoArchive\) ' "$work/version"
run_aa plugins list > "$work/plugins"
has_line "loaded +org\.autoarchive\.tar-external .*$root/usr/lib/autoarchive/plugins" "$work/plugins"
run_aa config check > "$work/check"
mkdir "$work/backups"
run_aa create some --root "$work/source" --destination "$work/backups" > "$work/create"

# An upgrade leaves a configuration alone that was changed.
printf 'jobs: 2\n' >> "$root/etc/autoarchive/config.yaml"
below_root --install "$work/0.1.1.deb"
has_line '^jobs: 2$' "$root/etc/autoarchive/config.yaml"
run_aa verify some --destination "$work/backups" > "$work/verify"

# Timers that ran run again when the package comes back; those that the administrator has disabled do not, nor do others'.
units=$root/etc/systemd/system
mkdir -p "$units/timers.target.wants"
for name in some disabled; do printf '# Made by aa schedule; changes are lost.\n' > "$units/autoarchive-$name.timer"; done
printf 'not ours\n' > "$units/autoarchive-other.timer"
for name in some other; do ln -s "/etc/systemd/system/autoarchive-$name.timer" "$units/timers.target.wants/"; done
enabled() { find "$units/timers.target.wants" -type l -printf '%f %l\n' | sort; }
enabled > "$work/before"
below_root --remove autoarchive
[ -e "$root/etc/autoarchive/config.yaml" ] || fail "the configuration went with the package"
[ ! -e "$root/usr/bin/aa" ] || fail "the program is still there"
[ "$(enabled)" = "autoarchive-other.timer /etc/systemd/system/autoarchive-other.timer" ] || fail "enabled without the program: $(enabled)"
below_root --install "$work/0.1.1.deb"
enabled | cmp --silent - "$work/before" || fail "enabled when it came back: $(enabled)"
[ ! -e "$root/var/lib/autoarchive/timers" ] || fail "what was enabled is still noted"
below_root --install "$work/0.1.1.deb"
below_root --purge autoarchive
[ "$(enabled)" = "autoarchive-other.timer /etc/systemd/system/autoarchive-other.timer" ] || fail "enabled after the purge: $(enabled)"
rm "$units/autoarchive-other.timer" "$units/timers.target.wants/autoarchive-other.timer" || fail "a file went that is not ours"
rm -r "$root/var/lib/dpkg"
find "$root" ! -type d > "$work/left"
find "$root" -name '*autoarchive*' >> "$work/left"
[ ! -s "$work/left" ] || fail "left behind: $(cat "$work/left")"
[ -s "$work/backups/some.tar.gz" ] || fail "the backup is gone"

if command -v lintian > /dev/null; then
  lintian --allow-root --fail-on error "$work/0.1.0.deb" > "$work/lintian.log" 2>&1 || fail "$(cat "$work/lintian.log")"
fi
