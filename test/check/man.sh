#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A manual page is without fault: mandoc has nothing to say about its style, no
# line is beyond 80 columns, and our own pages that it refers to are there.
#   man.sh PAGE
# Exit 0 when all that holds, 77 without mandoc; what does not is printed.
set -u
page=$1
dir=$(dirname "$page")
bad=0
command -v mandoc >/dev/null || { echo 'mandoc is not there'; exit 77; }

# which pages of others this machine has says nothing about ours
found=$(mandoc -T lint -W style "$page" 2>&1 |
	grep -v -e 'referenced manual not found' -e 'outdated mandoc.db')
[ -z "$found" ] || { printf '%s\n' "$found"; bad=1; }

long=$(awk 'length > 80 { print FILENAME ":" FNR ": beyond 80 columns" }' "$page")
[ -z "$long" ] || { printf '%s\n' "$long"; bad=1; }

for ref in $(sed -n 's/^\.Xr \(monitord[^ ]*\|ipmon\) \([0-9]\).*/\1.\2/p' "$page" |
	     sort -u); do
	[ -f "$dir/$ref" ] || { echo "$page: $ref is not there"; bad=1; }
done
exit $bad
