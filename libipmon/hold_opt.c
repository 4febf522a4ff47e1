// SPDX-License-Identifier: Apache-2.0
/*
 * setsockopt(2) under `verified`.
 *
 * Theory of operation
 * -------------------
 * Servers set options for each connection or each answer.  Most concern this end
 * only (time-outs, sizes of buffers): nobody else can tell whether they are set,
 * and nobody need be asked before.  TCP_CORK and TCP_NODELAY make what has been
 * written leave at once, so they keep their place among the outputs: held like
 * these, and made in their order (hold.c).  On a connection that is open the
 * kernel refuses neither (do_tcp_setsockopt() in net/ipv4/tcp.c), so the program is
 * told 0.  Whatever else there is waits: options join groups, bind to devices,
 * attach filters.
 */
#include "hold_int.h"

#define SOL_SOCKET_	1
#define SOL_TCP_	6
#define SOL_IPV6_	41
#define IPV6_V6ONLY_	26
#define TCP_NODELAY_	1
#define TCP_CORK_	3

#define OPTION(n)	(1ull << (n))
/* SO_REUSEADDR SO_BROADCAST SO_SNDBUF SO_RCVBUF SO_KEEPALIVE SO_OOBINLINE
 * SO_LINGER SO_REUSEPORT SO_PASSCRED SO_RCVLOWAT SO_RCVTIMEO SO_SNDTIMEO
 * SO_TIMESTAMP SO_TIMESTAMPNS SO_TIMESTAMPING SO_BUSY_POLL SO_INCOMING_CPU */
#define OWN_SOCKET	(OPTION(2) | OPTION(6) | OPTION(7) | OPTION(8) | \
			 OPTION(9) | OPTION(10) | OPTION(13) | OPTION(15) | \
			 OPTION(16) | OPTION(18) | OPTION(20) | OPTION(21) | \
			 OPTION(29) | OPTION(35) | OPTION(37) | OPTION(46) | \
			 OPTION(49))
/* TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT TCP_SYNCNT TCP_LINGER2
 * TCP_DEFER_ACCEPT TCP_USER_TIMEOUT TCP_FASTOPEN TCP_NOTSENT_LOWAT */
#define OWN_TCP		(OPTION(4) | OPTION(5) | OPTION(6) | OPTION(7) | \
			 OPTION(8) | OPTION(9) | OPTION(18) | OPTION(23) | \
			 OPTION(25))

int hold_pushes(const uint64_t args[6])
{
	uint32_t name = (uint32_t)args[2];

	return (uint32_t)args[1] == SOL_TCP_ &&
		(name == TCP_NODELAY_ || name == TCP_CORK_);
}

int hold_option_waits(const uint64_t args[6])
{
	uint32_t name = (uint32_t)args[2];

	switch ((uint32_t)args[1]) {
	case SOL_SOCKET_:
		return name >= 64 || !(OWN_SOCKET >> name & 1);
	case SOL_TCP_:
		return name >= 64 || !(OWN_TCP >> name & 1);
	case SOL_IPV6_:
		return name != IPV6_V6ONLY_;
	default:
		return 1;
	}
}

int hold_option(struct ipmon_ctx *ctx, struct ipmon_hold *h,
		struct hold_output *o)
{
	uint64_t *args = o->frame.args;
	unsigned int state;
	uint32_t value;

	if (!hold_pushes(args) || (uint32_t)args[4] != sizeof(value) ||
	    mem_get(&value, args[3], sizeof(value)))
		return 0;
	state = hold_tcp_state(h, (uint32_t)args[0]);
	if (state != TCP_ESTABLISHED_ && state != TCP_CLOSE_WAIT_)
		return 0;
	for (uint32_t i = 0; i < h->n; i++)
		if (h->op[i].fd == (int32_t)args[0] && hold_is_end(&h->op[i]))
			return 0;
	hold_make_room(ctx, h);
	h->op[h->n++] = (struct ipmon_hold_op){
		.fd = (int32_t)args[0], .at = h->end, .kind = HOLD_OPTION,
		.arg = (uint32_t)args[2], .was = (int32_t)value,
	};
	o->msg[0] = value;
	args[3] = ptr(o->msg);
	o->ret = 0;
	hold_begun(ctx, h);
	return 1;
}
