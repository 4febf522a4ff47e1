#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Both libraries are inert without a monitor: an ordinary program that is made
# to load them behaves as before.
#   inert.sh LIBIPMON LIBIPMON-COMPAT
set -eu
plain=$(env -i PATH="$PATH" sh -c 'echo hello; env | sort; exit 3' || echo "status $?")
loaded=$(env -i PATH="$PATH" LD_PRELOAD="$1:$2" sh -c 'echo hello; env -u LD_PRELOAD | sort; exit 3' || echo "status $?")
[ "$plain" = "$loaded" ] || {
	printf 'without:\n%s\nwith:\n%s\n' "$plain" "$loaded"
	exit 1
}
