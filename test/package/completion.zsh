# SPDX-License-Identifier: Apache-2.0
# What zsh offers for a command line, word by word:
#   zsh -f completion.zsh COMPLETION WORD...
# The last word is the one to complete.  The functions of the completion system
# are replaced by some that print what they are asked to offer.
completion=$1
shift
compadd() {
	local -a w
	while [[ $1 == -* ]]; do
		case $1 in
		-a) w=(${(P)2}); shift 2 ;;
		--) shift; break ;;
		*) shift ;;
		esac
	done
	w=($w $@)
	print -l -- ${(M)w:#$PREFIX*}
}
compset() {
	local p=${@[-1]}
	[[ $PREFIX == ${~p}* ]] && PREFIX=${PREFIX##${~p}}
}
_files() { print @files }
_command_names() { print @commands }
_normal() { print "@normal $words[*]" }
_message() { }
words=("$@") CURRENT=$# PREFIX=${@[-1]}
set --
. $completion
true
