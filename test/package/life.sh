#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The life of an installed package, seen by an administrator. Runs in a mount
# namespace of its own, over a copy-on-write view of this machine's root.
#   life.sh EMPTY-DIRECTORY PACKAGE.deb
# Last line: "done", "skip: REASON", or what went wrong.
set -u
dir=$1
deb=$2

fail() { echo "FAILED: $*"; exit 1; }
skip() { echo "skip: $*"; exit 77; }

mount -t tmpfs tmpfs "$dir" || skip "no tmpfs can be mounted"
mkdir "$dir/upper" "$dir/work" "$dir/root" || fail mkdir
mount -t overlay overlay "$dir/root" \
	-o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" ||
	skip "no overlay can be mounted over /"
for d in proc dev sys; do
	mount --rbind "/$d" "$dir/root/$d" || skip "/$d cannot be bound"
done
mkdir -p "$dir/root/run/ipmon-test" &&
	cp "$deb" "$dir/root/run/ipmon-test/ipmon.deb" || fail "copying"

inside() { chroot "$dir/root" "$@"; }
# no daemon may start because a package arrives
printf '#!/bin/sh\nexit 101\n' >"$dir/root/usr/sbin/policy-rc.d" &&
	chmod 755 "$dir/root/usr/sbin/policy-rc.d" || fail policy-rc.d
if inside dpkg-query -W -f '${Status}' ipmon 2>/dev/null | grep -q installed; then
	inside dpkg --purge ipmon || fail "an earlier package does not go"
fi
# A directory that is empty in the layer above may show through, but its
# time; only files count.
state() { (cd "$dir/root" && find etc usr lib var/lib/systemd \
	! -type d 2>/dev/null | grep -v -e ^var/cache | sort); }
before=$(state)

inside dpkg -i /run/ipmon-test/ipmon.deb || fail "dpkg -i"
[ "$(inside monitord run -n 2 -- sh -c 'echo hello')" = hello ] ||
	fail "two variants of sh"
inside monitord doctor | grep 'libipmon: /usr/lib/.*/ipmon/libipmon.so' ||
	fail "doctor does not find the library"
inside sh -c 'command -v man >/dev/null || exit 0
	man -w ipmon && man -w monitord.conf' || fail "man"
if inside sh -c 'command -v systemd-analyze' >/dev/null; then
	out=$(inside systemd-analyze verify monitord@example.service 2>&1)
	case $out in
	*monitord*) fail "systemd-analyze: $out" ;;
	esac
fi
# What users make stays, whatever becomes of the package.
printf '[Run]\nProgram=/bin/echo "from a file"\n' \
	>"$dir/root/etc/ipmon/mine.conf" || fail "/etc/ipmon"
inside monitord check-config mine || fail "check-config mine"
start=$(sed -n 's/^ExecStart=\(.*\)%i$/\1mine/p' \
	"$dir/root/lib/systemd/system/monitord@.service")
# shellcheck disable=SC2086
[ "$(inside $start)" = 'from a file' ] || fail "what the unit starts: $start"
mkdir -p "$dir/root/etc/systemd/system/x.service.d" &&
	echo >"$dir/root/etc/systemd/system/x.service.d/50-ipmon.conf" || fail "drop-in"
inside dpkg -i /run/ipmon-test/ipmon.deb || fail "installing again"
out=$(inside dpkg --remove ipmon 2>&1) || fail "dpkg --remove: $out"
case $out in
*/x.service.d/50-ipmon.conf*) ;;
*) fail "removing does not name the services that need it: $out" ;;
esac
[ ! -e "$dir/root/usr/bin/monitord" ] || fail "removed, and still there"
inside dpkg --purge ipmon || fail "dpkg --purge"
for f in etc/ipmon/mine.conf etc/systemd/system/x.service.d/50-ipmon.conf; do
	rm "$dir/root/$f" || fail "a file of the user's is gone: /$f"
done
after=$(state)
[ "$before" = "$after" ] || {
	printf '%s\n' "$before" >"$dir/before"
	printf '%s\n' "$after" >"$dir/after"
	fail "left or gone: $(diff "$dir/before" "$dir/after" | grep '^[<>]' | head)"
}
echo done
