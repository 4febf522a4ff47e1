#compdef monitord
# SPDX-License-Identifier: Apache-2.0
#
# zsh completion for monitord.  Like completion.bash it takes the names of
# commands and options from --help; what is listed is compared in test/package.

_monitord_flags=(--help --version --verbose --json --threads --batch --once
	--revert --dry-run --no-config
	-h -v -t -b)

_monitord_configs()
{
	local -a names
	names=(/etc/ipmon/*.conf(N:t:r))
	compadd -a names
	_files
}

_monitord_commands()
{
	compadd -- ${(fu)"$($monitord --help 2>/dev/null |
		sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')"}
}

_monitord_calls()
{
	compadd -- ${(f)"$($monitord syscalls 2>/dev/null |
		awk '$1 ~ /^[0-9]+$/ { print $2 }')"}
}

_monitord_value()
{
	case $1 in
	-n|--variants) compadd 1 2 3 4 5 6 7 8 ;;
	--policy) compadd strict verified relaxed ;;
	--level) compadd BASE NONSOCKET_RO NONSOCKET_RW SOCKET_RO SOCKET_RW ;;
	--layout) compadd disjoint independent same ;;
	--on-divergence) compadd kill continue ;;
	--placement) compadd auto none one ;;
	--notify) compadd main all direct ;;
	--color) compadd auto always never ;;
	-s|--sort) compadd calls inproc verified held trapped time avg max name ;;
	--class) compadd refused base nonsocket-ro nonsocket-rw socket-ro \
		socket-rw effect memory process signal credentials ;;
	--control) compadd none; _files ;;
	--metrics) _files ;;
	--config) _monitord_configs ;;
	--trap|--verify|--relax|--deny) compset -P '*,'; _monitord_calls ;;
	--variant|--preload) compset -P '*[=:]' && _files ;;
	--report-dir|--root) _files -/ ;;
	--report|--stats|--trace) _files ;;
	*) _message value ;;
	esac
}

_monitord()
{
	local monitord=$words[1] command=$words[2] option= i
	local -a options services

	[[ $monitord == \~/* ]] && monitord=$HOME/${monitord#\~/}
	if (( CURRENT == 2 )); then
		_monitord_commands
		compadd -- --help --version
		return
	fi
	for (( i = 3; i < CURRENT; i++ )); do
		if [[ -n $option ]]; then
			option=
		elif [[ $words[i] == -- || $words[i] != -* ]] &&
		     [[ $command == run ]]; then
			[[ $words[i] == -- ]] && (( i++ ))
			# the rest is the program's
			shift $(( i - 1 )) words
			(( CURRENT -= i - 1 ))
			_normal
			return
		elif [[ $words[i] == -* && $words[i] != *=* ]] &&
		     [[ ! $words[i] =~ '^-[a-z][0-9]+$' ]] &&
		     (( ! $_monitord_flags[(Ie)$words[i]] )); then
			option=$words[i]
		fi
	done
	if [[ -n $option ]]; then
		_monitord_value $option
	elif [[ $PREFIX == --*=* ]]; then
		option=${PREFIX%%=*}
		compset -P 1 '*='
		_monitord_value $option
	elif [[ $PREFIX == -* ]]; then
		options=(${(fu)"$({ echo "  --help"
			$monitord $command --help 2>/dev/null; } |
			grep '^ \+-' | grep -oE -- '(^|[][ (|,])(--[a-z][a-z0-9-]+|-[a-zA-Z])\>' |
			sed -E 's/^[^-]*//')"})
		compadd -a options
	else
		case $command in
		run) _command_names -e; _files ;;
		check-config) _monitord_configs ;;
		report) _files ;;
		syscalls) _monitord_calls ;;
		ps|top)
			compadd -- ${(f)"$($monitord ps 2>/dev/null |
				awk '$1 ~ /^[0-9]+$/ { print $1 }')"} ;;
		help) _monitord_commands ;;
		service)
			services=({/etc,/usr/lib,/lib}/systemd/system/*.service(N:t))
			compadd -a services ;;
		esac
	fi
}

_monitord "$@"
