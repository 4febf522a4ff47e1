#compdef monitord
# SPDX-License-Identifier: Apache-2.0
#
# zsh completion for monitord.  Like completion.bash it takes commands and
# options from --help; only values of options are listed.

_monitord_configs()
{
	local -a names
	names=(/etc/ipmon/*.conf(N:t:r))
	compadd -a names
	_files
}

_monitord_value()
{
	case $1 in
	-n|--variants) compadd 1 2 3 4 5 6 7 8 ;;
	--policy) compadd strict verified relaxed ;;
	--level) compadd BASE NONSOCKET_RO NONSOCKET_RW SOCKET_RO SOCKET_RW ;;
	--layout) compadd disjoint same ;;
	--on-divergence) compadd kill continue ;;
	--placement) compadd auto none one ;;
	--config) _monitord_configs ;;
	--variant) compset -P '*=' && _files ;;
	--report|--stats|--trace) _files ;;
	*) _message value ;;
	esac
}

_monitord()
{
	local monitord=$words[1] command=$words[2] option= i
	local -a commands options services

	[[ $monitord == \~/* ]] && monitord=$HOME/${monitord#\~/}
	if (( CURRENT == 2 )); then
		commands=(${(fu)"$($monitord --help 2>/dev/null |
			sed -n 's/^\(usage:\|      \) monitord \([a-z][a-z-]*\).*/\2/p')"})
		compadd -a commands
		compadd -- --help --version
		return
	fi
	# those with a value end in "="
	options=(${(fu)"$({ echo '  --help'
		$monitord $command --help 2>/dev/null | grep -E '^ +-'; } |
		sed -E 's/(-[A-Za-z]), (--[a-z0-9-]+)([ =][A-Z])/\1\3, \2\3/' |
		grep -oE -- '(^|[ ,])--?[a-zA-Z][a-z0-9-]*([ =][A-Z])?' |
		sed -E -e 's/^[ ,]*//' -e 's/[ =][A-Z]$/=/')"})

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
		elif (( $options[(Ie)$words[i]=] )); then
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
		compadd -- ${options%=}
	else
		case $command in
		run) _command_names -e; _files ;;
		check-config) _monitord_configs ;;
		report) _files ;;
		syscalls)
			compadd -- ${(f)"$($monitord syscalls 2>/dev/null |
				awk '$1 ~ /^[0-9]+$/ { print $2 }')"} ;;
		service)
			services=({/etc,/usr/lib,/lib}/systemd/system/*.service(N:t))
			compadd -a services ;;
		esac
	fi
}

_monitord "$@"
