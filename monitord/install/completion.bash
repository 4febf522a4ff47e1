# bash completion for monitord                             -*- shell-script -*-
# SPDX-License-Identifier: Apache-2.0
#
# The names of commands and options are taken from what the monitord on the
# command line prints for --help, so none can be missing here.  What is listed:
# options that take no value, and the values of those that take one of a few.
# test/package compares both with monitord's own tables.
# Nothing of the bash-completion package is needed; with it, the arguments of
# the program in `monitord run` are completed as that program's.

_monitord_flags="--help --version --verbose --json --threads --batch --once
	--revert --dry-run --no-config
	-h -v -t -b"

# All commands: the table of --help.
_monitord_commands()
{
	"$1" --help 2>/dev/null |
		sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' | sort -u
}

# All options of a command, one a line.
_monitord_options()
{
	{
		echo "  --help"
		"$1" "$2" --help 2>/dev/null
	} | grep '^ \+-' |
		grep -oE -- '(^|[][ (|,])(--[a-z][a-z0-9-]+|-[a-zA-Z])\>' |
		sed -E 's/^[^-]*//' | sort -u
}

# The values of an option; "@" names a kind of thing to look for.
_monitord_values()
{
	case $1 in
	-n|--variants) echo 1 2 3 4 5 6 7 8 ;;
	--policy) echo strict verified relaxed ;;
	--level) echo BASE NONSOCKET_RO NONSOCKET_RW SOCKET_RO SOCKET_RW ;;
	--layout) echo disjoint independent same ;;
	--on-divergence) echo kill continue ;;
	--placement) echo auto none one ;;
	--notify) echo main all direct ;;
	--color) echo auto always never ;;
	-s|--sort) echo calls inproc verified held trapped time avg max name ;;
	--class) echo refused base nonsocket-ro nonsocket-rw socket-ro socket-rw \
		effect memory process signal credentials ;;
	--control) echo none @file ;;
	--metrics) echo @file ;;
	--config) echo @config ;;
	--trap|--verify|--relax|--deny) echo @syscall ;;
	--report|--stats|--trace) echo @file ;;
	--report-dir|--root) echo @directory ;;
	esac
}

# What a command takes besides options.
_monitord_arguments()
{
	case $1 in
	check-config) echo @config ;;
	report) echo @file ;;
	service) echo @service ;;
	syscalls) echo @syscall ;;
	ps|top) echo @pid ;;
	help) echo @command ;;
	esac
}

_monitord_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

# The program of `monitord run` and its arguments: words[rest] and after.
_monitord_program()
{
	local offset=0 i word

	if ((rest == ${#words[@]} - 1)); then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -c -f -- "$1" | sort -u)
	elif declare -F _command_offset >/dev/null; then
		# it counts as bash does
		for ((i = 0; i < rest; i++)); do
			word=
			while ((offset < COMP_CWORD)) &&
			      [[ $word != "${words[i]}" ]]; do
				word+=${COMP_WORDS[offset++]}
			done
		done
		_command_offset "$offset"
	else
		_monitord_files "$1"
	fi
}

# _monitord_list MONITORD WORD: calls, separated by commas
_monitord_list()
{
	local before=
	[[ $2 == *,* ]] && before=${2%,*},
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$("$1" syscalls \
		2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $2 }')" -- "${2##*,}")
}

# _monitord_offer MONITORD WORD VALUE...: those that begin with WORD
_monitord_offer()
{
	local monitord=$1 cur=$2 words
	shift 2
	words=$*
	case $words in
	none\ @file)
		_monitord_files "$cur"
		[[ none != "$cur"* ]] || COMPREPLY+=(none)
		return
		;;
	@file) _monitord_files "$cur"; return ;;
	@directory)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	@syscall) _monitord_list "$monitord" "$cur"; return ;;
	@command) words=$(_monitord_commands "$monitord") ;;
	@pid) words=$("$monitord" ps 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }') ;;
	@config)
		if [[ $cur == */* || $cur == .* ]]; then
			_monitord_files "$cur"
			return
		fi
		words=$(cd /etc/ipmon 2>/dev/null && printf '%s\n' *.conf |
			sed -e '/\*/d' -e 's/\.conf$//')
		;;
	@service)
		words=$(printf '%s\n' /etc/systemd/system/*.service \
			/usr/lib/systemd/system/*.service \
			/lib/systemd/system/*.service |
			sed -e '/\*/d' -e 's,.*/,,' | sort -u)
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

_monitord()
{
	local monitord=${COMP_WORDS[0]} words cur command option= rest= i

	# bash has made words of their own out of = and :, so the line is split
	# again, at blanks alone.  What is offered is only what comes behind the
	# last of them.
	read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
	[[ ${COMP_LINE:0:COMP_POINT} == *[[:blank:]] ]] && words+=("")
	cur=${words[-1]} command=${words[1]}
	COMPREPLY=()

	# ~ is the shell's to replace, and has not been yet
	[[ $monitord == \~/* ]] && monitord=$HOME/${monitord:2}
	if ((${#words[@]} <= 2)); then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_monitord_commands "$monitord") --help --version" \
			-- "$cur")
		return
	fi

	# Where are we?  `option` is the one whose value comes next; `rest` is
	# where the program is, or will be.
	for ((i = 2; i < ${#words[@]} - 1; i++)); do
		if [[ -n $option ]]; then
			option=
		elif [[ ${words[i]} == -- ]]; then
			rest=$((i + 1))
			break
		elif [[ ${words[i]} != -* && $command == run ]]; then
			rest=$i
			break
		elif [[ ${words[i]} == -* && ${words[i]} != *=* ]] &&
		     [[ ! ${words[i]} =~ ^-[a-z][0-9]+$ ]] &&
		     [[ " ${_monitord_flags//[[:space:]]/ } " != *" ${words[i]} "* ]]; then
			option=${words[i]}
		fi
	done
	if [[ -z $rest && -z $option && $cur == --*=* ]]; then
		option=${cur%%=*}
		cur=${cur#*=}
	elif [[ -z $rest && -z $option && $cur != -* && $command == run ]]; then
		rest=$((${#words[@]} - 1))
	fi

	if [[ -n $rest ]]; then
		_monitord_program "$cur"
	elif [[ $option == --variant || $option == --preload ]]; then
		[[ $cur == *[=:]* ]] && _monitord_files "${cur#*[=:]}"
	elif [[ -n $option ]]; then
		# shellcheck disable=SC2046
		_monitord_offer "$monitord" "$cur" $(_monitord_values "$option")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_monitord_options "$monitord" "$command")" -- "$cur")
	else
		# shellcheck disable=SC2046
		_monitord_offer "$monitord" "$cur" \
			$(_monitord_arguments "$command")
	fi
}
complete -F _monitord monitord
