#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every __NR_* of the installed kernel headers as NR(name, number) lines.
# usage: nr-list.sh COMPILER...
set -e
echo '#include <asm/unistd_64.h>' | "$@" -E -dM - |
	sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$/NR(\1, \2)/p' |
	sort
