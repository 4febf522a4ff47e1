# SPDX-License-Identifier: Apache-2.0
# What bash offers for a command line, word by word:
#   bash completion.bash COMPLETION LINE
# A line that ends with a blank asks for the next word.  With PACKAGE set, the
# bash-completion package is there as well.
[ -z "$PACKAGE" ] || . /usr/share/bash-completion/bash_completion
. "$1"
COMP_LINE=$2 COMP_POINT=${#2}
# as readline takes it apart
read -ra COMP_WORDS <<<"$(sed 's/[=:]\+/ & /g' <<<"$2")"
[[ $2 != *[[:blank:]] ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
eval "$(complete -p monitord | sed 's/.*-F \([^ ]*\) .*/\1/')"
printf '%s\n' "${COMPREPLY[@]}"
