#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Services under a real systemd:
#
#	sh test/systemd/run.sh BUILD WORK [PATTERN...]
#
# Makes a small Debian in WORK (from where this machine's apt gets its packages),
# installs BUILD in it as meson would, boots it with systemd-nspawn, without a
# network, and has inside.py test there. Prints the lines of inside.py; "SKIP
# reason" if this machine cannot do that. Nothing is left: container, mounts,
# control groups, WORK.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 2
build=$1 work=$2
shift 2
log=$work.log
seconds=${SYSTEMD_TEST_SECONDS:-600}

skip() { echo "SKIP $*"; exit 0; }
fail() {
	echo "FAIL $*"
	[ ! -s "$log" ] || tail -15 "$log" | sed 's/^/     | /'
	exit 0
}

[ "$(id -u)" = 0 ] || skip "a container needs root"
for tool in systemd-nspawn mmdebstrap unshare; do
	command -v $tool >/dev/null || skip "there is no $tool"
done
unshare -m true 2>/dev/null || skip "no mount namespaces for root here"
sources=$(ls /etc/apt/sources.list.d/debian.sources \
	/etc/apt/sources.list 2>/dev/null | head -1)
[ -n "$sources" ] || skip "apt has no sources of Debian's packages"
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$release" ] || skip "this is no release of Debian"

# ---- what must be cleaned up ------------------------------------------------

nspawn= init= mounted=
hierarchies=
group=ipmon-test-$$
clean() {
	trap '' INT TERM HUP
	if [ -n "$nspawn" ]; then
		[ -z "$init" ] || kill -9 "$init" 2>/dev/null
		kill "$nspawn" 2>/dev/null
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			kill -0 "$nspawn" 2>/dev/null || break
			sleep 0.5
		done
		kill -9 "$nspawn" 2>/dev/null
		wait "$nspawn" 2>/dev/null
	fi
	for h in $hierarchies; do
		# its processes are gone, or go in a moment
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			[ ! -d "$h/$group" ] ||
			find "$h/$group" -depth -type d -exec rmdir {} + \
				2>/dev/null
			[ -d "$h/$group" ] || break
			sleep 0.2
		done
	done
	[ -z "$mounted" ] || umount "$work" || umount -l "$work"
	rm -rf --one-file-system "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

rm -rf --one-file-system "$work"
mkdir -p "$work" || exit 2
# in memory if there is enough of it: unpacking packages is mostly fsync
if [ "$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)" -ge 4 ] &&
   mount -t tmpfs -o size=2g,mode=755 ipmon-test "$work" 2>/dev/null; then
	mounted=yes
fi
mkdir "$work/results" || exit 2
: >"$log"

# ---- the system ---------------------------------------------------------------

packages=systemd,systemd-sysv,dbus,libbsd0,libdw1,libelf1,libinih1,libjson-c5
packages=$packages,libseccomp2,libzydis4.0,python3,nginx-light,redis-server
packages=$packages,lighttpd,memcached,openssh-server,openssh-client,curl,procps
mmdebstrap --variant=minbase --include="$packages" \
	--dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--aptopt='Apt::Install-Recommends "false"' \
	"$release" "$work/root" "$sources" >>"$log" 2>&1 ||
	skip "no Debian could be made here (see $log)"
DESTDIR=$work/root meson install -C "$build" --no-rebuild >>"$log" 2>&1 ||
	fail "install"
chroot "$work/root" ldconfig >>"$log" 2>&1
mkdir -p "$work/root/opt/ipmon-test" "$work/root/results"
cp "$here"/*.py "$build/test/systemd/unitd" \
	"$work/root/opt/ipmon-test/" || fail "copy"
cat >"$work/root/etc/systemd/system/ipmon-test.service" <<-EOU
	[Unit]
	After=multi-user.target
	[Service]
	ExecStart=/usr/bin/python3 -B /opt/ipmon-test/inside.py $*
	StandardOutput=append:/results/out
	StandardError=inherit
	ExecStopPost=/bin/systemctl --no-block poweroff
EOU
# started as the last thing, and wanted by what boots
mkdir -p "$work/root/etc/systemd/system/default.target.wants"
ln -s ../ipmon-test.service \
	"$work/root/etc/systemd/system/default.target.wants/"
# nobody asks for these
for u in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer \
	fstrim.timer dpkg-db-backup.timer logrotate.timer; do
	ln -sf /dev/null "$work/root/etc/systemd/system/$u"
done

# ---- boot ----------------------------------------------------------------------

# nspawn makes control groups below its own: one that can be removed
for h in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
	[ -e "$h/cgroup.procs" ] || continue
	mkdir "$h/$group" 2>/dev/null && hierarchies="$hierarchies $h"
done
: >"$work/results/out"
(
	for h in $hierarchies; do
		sh -c 'echo $PPID' >"$h/$group/cgroup.procs"
	done
	# monitord takes descriptors of its variants, which nspawn's filter
	# does not allow by itself
	exec systemd-nspawn -q -D "$work/root" -b --register=no --keep-unit \
		--private-network --link-journal=no --console=read-only \
		--system-call-filter=@debug --bind="$work/results:/results" \
		</dev/null >>"$log" 2>&1
) &
nspawn=$!
shown=0
for _ in $(seq $((seconds * 2))); do
	sleep 0.5
	[ -n "$init" ] || init=$(pgrep -P $nspawn | head -1)
	n=$(wc -c <"$work/results/out")
	if [ "$n" -gt "$shown" ]; then
		tail -c +$((shown + 1)) "$work/results/out" | head -c $((n - shown))
		shown=$n
	fi
	kill -0 $nspawn 2>/dev/null || break
done
grep -q '^DONE$' "$work/results/out" && exit 0
if [ ! -s "$work/results/out" ]; then
	skip "the container does not boot here: $(tail -1 "$log")"
fi
fail "systemd: the tests did not come to their end"
