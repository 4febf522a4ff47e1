#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Properties of the built libipmon.so: the rules at the top of libipmon/note.S.
#   libipmon.sh LIBRARY VERSION-SCRIPT
# Exit 0 when all hold; every violation is printed.
set -u
lib=$1
map=$2
bad=0

# none RULE LINES: the offending lines, there must be none
none() {
	[ -z "$2" ] && return
	printf 'violated: %s\n%s\n' "$1" "$(printf '%s\n' "$2" | head -5)"
	bad=1
}
# some RULE LINES: what must be there
some() {
	[ -n "$2" ] && return
	printf 'violated: %s\n' "$1"
	bad=1
}

if [ ! -r "$lib" ] || [ ! -r "$map" ]; then
	echo "usage: $0 LIBRARY VERSION-SCRIPT" >&2
	exit 2
fi
dynamic=$(readelf -dW "$lib") || exit 2
segments=$(readelf -lW "$lib")
relocs=$(readelf -rW "$lib")
code=$(objdump -d --no-show-raw-insn "$lib")
# lines of $1 that match $2
in_() {
	printf '%s\n' "$1" | grep -E "$2"
}

none 'no undefined symbols' "$(nm -D --undefined-only "$lib")"
none 'no NEEDED libraries' "$(in_ "$dynamic" NEEDED)"
none 'no text relocations' "$(in_ "$dynamic" TEXTREL)"
some 'stays (-z nodelete)' "$(in_ "$dynamic" 'FLAGS_1.*NODELETE')"
some 'bound at once (-z now)' "$(in_ "$dynamic" 'FLAGS_1.*NOW')"
none 'no relocations' "$(in_ "$relocs" R_X86_64)"
none 'no data but the dynamic section' \
	"$(in_ "$segments" '^ +[0-9]+ .*(\.data|\.bss|\.got|_array)')"
none 'no segment both writable and executable' \
	"$(in_ "$segments" 'LOAD .* RWE ')"
none 'no thread-local storage' "$(in_ "$segments" ' TLS ')"
some 'relocated data is read-only afterwards' "$(in_ "$segments" GNU_RELRO)"
some 'needs no executable stack' "$(in_ "$segments" 'GNU_STACK .* RW ')"
none 'no vector or floating-point registers' \
	"$(in_ "$code" '%(xmm|ymm|zmm|mm[0-7]|st\b|k[0-7]\b)')"
none 'no thread-local access (errno, stack protector)' "$(in_ "$code" '%fs:')"
some 'has code' "$(in_ "$code" '\bret')"
calls=$(in_ "$code" '\bsyscall\b' | wc -l)
[ "$calls" -eq 0 ] || none 'no syscall instruction' \
	"$calls found"
# The exports are the names between global: and local:
want=$(sed -n '/global:/,/local:/p' "$map" | tr -d ' \t;' |
	grep -vE '^(global:|local:)?$' | sort)
have=$(nm -D --defined-only "$lib" |
	awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
[ "$want" = "$have" ] || none 'exports are those of the version script' \
	"$(printf 'wanted: %s\nfound: %s\n' "$want" "$have")"
exit $bad
