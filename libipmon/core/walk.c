/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk: from a call's registers to its items.
 *
 * Theory of operation
 * -------------------
 * ipmon_walk() visits the arguments in order and emits what their kinds say;
 * afterwards the row's walker, if any, emits what hangs off the irregular
 * arguments.  This file knows the kinds that need no knowledge of a protocol
 * (scalars, buffers, strings, vectors); the others are in walk_<family>.c.
 *
 * A null pointer is emitted as the scalar 0 and memory that cannot be read as
 * a fault, so a variant that passes NULL where another passes a buffer gets a
 * different list, and two that pass the same bad pointer get the same one.
 */
#include <asm-generic/errno.h>

#include "walk.h"

/* execve(2): MAX_ARG_STRLEN, and bounds for what fits 6 MiB of stack. */
#define ARG_STR_MAX (32u * 4096)
#define ARG_TOTAL_MAX (8ul << 20)
#define ARG_COUNT_MAX (1ul << 20)

int walk_item(struct ipmon_walk *w, const struct ipmon_item *item)
{
	return w->emit(w->ctx, item);
}

static int emit(struct ipmon_walk *w, unsigned int type, unsigned int arg,
		uint64_t addr, uint64_t len, const char *label)
{
	struct ipmon_item item;

	item.type = (uint8_t)type;
	item.arg = (uint8_t)arg;
	item.rule = 0;
	item.group = 0;
	item.len = (uint32_t)pure_min(len, IPMON_SPAN_MAX);
	item.value = 0;
	item.addr = addr;
	item.aux = 0;
	item.label = label;
	return walk_item(w, &item);
}

int ipmon_emit_scalar(struct ipmon_walk *w, unsigned int arg, uint64_t value,
		      const char *label)
{
	struct ipmon_item item;

	item.type = IT_SCALAR;
	item.arg = (uint8_t)arg;
	item.rule = 0;
	item.group = 0;
	item.len = 0;
	item.value = value;
	item.addr = 0;
	item.aux = 0;
	item.label = label;
	return walk_item(w, &item);
}

int ipmon_emit_fault(struct ipmon_walk *w, unsigned int arg)
{
	return emit(w, IT_FAULT, arg, 0, 0, "unreadable");
}

int ipmon_emit_in(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		  uint64_t len, const char *label)
{
	if (!addr)
		return ipmon_emit_scalar(w, arg, 0, label);
	return emit(w, IT_IN, arg, addr, len, label);
}

/* As ipmon_emit_out, for a span that exists only if ret >= min_ret. */
int walk_out_from(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		  uint64_t len, unsigned int rule, uint64_t aux,
		  uint64_t min_ret, const char *label)
{
	struct ipmon_item item;

	if (!addr)
		return ipmon_emit_scalar(w, arg, 0, label);
	item.type = IT_OUT;
	item.arg = (uint8_t)arg;
	item.rule = (uint8_t)rule;
	item.group = 0;
	item.len = (uint32_t)pure_min(len, IPMON_SPAN_MAX);
	item.value = min_ret;
	item.addr = addr;
	item.aux = aux;
	item.label = label;
	return walk_item(w, &item);
}

int ipmon_emit_out(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		   uint64_t len, unsigned int rule, uint64_t aux,
		   const char *label)
{
	return walk_out_from(w, arg, addr, len, rule, aux, 0, label);
}

int walk_read(struct ipmon_walk *w, void *dst, uint64_t src, size_t n)
{
	/* A range that wraps is nowhere readable; readers need not check. */
	if (src + n < src)
		return -EFAULT;
	return w->read(w->ctx, dst, src, n) ? -EFAULT : 0;
}

int walk_null(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	      const char *label)
{
	return ipmon_emit_scalar(w, arg, addr != 0, label);
}

int walk_fetch(struct ipmon_walk *w, unsigned int arg, void *dst, uint64_t src,
	       size_t n)
{
	int rc;

	if (!src)
		rc = ipmon_emit_scalar(w, arg, 0, "null");
	else if (walk_read(w, dst, src, n))
		rc = ipmon_emit_fault(w, arg);
	else
		return 0;
	return rc ? rc : 1;
}

/*
 * Structures that have grown have their size beside them.  Members the kernel
 * does not know must be zero (E2BIG), so what is behind those we know is either
 * zero in all variants, or garbage a kernel of our age refuses, or means something
 * to a newer one; the last two are answered like the former of them.
 */
int walk_tail(struct ipmon_walk *w, uint64_t addr, uint64_t known,
	      uint64_t size)
{
	unsigned char buf[64];
	uint64_t i, n, k;

	for (i = known; i < size; i += n) {
		n = pure_min(size - i, sizeof(buf));
		if (walk_read(w, buf, addr + i, n)) {
			/* the end of it, byte by byte */
			n = 1;
			if (walk_read(w, buf, addr + i, n))
				return 0;	/* EFAULT */
		}
		for (k = 0; k < n; k++)
			if (buf[k])
				return -WALK_ENOSYS;
	}
	return 0;
}

int walk_inout(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	       uint64_t len, unsigned int rule, const char *label)
{
	int rc;

	if (!addr)
		return ipmon_emit_scalar(w, arg, 0, label);
	rc = ipmon_emit_in(w, arg, addr, len, label);
	return rc ? rc : ipmon_emit_out(w, arg, addr, len, rule, 0, label);
}

int walk_str(struct ipmon_walk *w, unsigned int arg, uint64_t addr, size_t max,
	     const char *label)
{
	long n;

	if (!addr)
		return ipmon_emit_scalar(w, arg, 0, label);
	n = w->strnlen(w->ctx, addr, max);
	if (n == -ENAMETOOLONG)	/* the kernel will say the same */
		return emit(w, IT_IN, arg, addr, max, label);
	if (n < 0)
		return ipmon_emit_fault(w, arg);
	return emit(w, IT_STR, arg, addr, pure_min((uint64_t)n, max), label);
}

int walk_strv(struct ipmon_walk *w, unsigned int arg, uint64_t addr)
{
	uint64_t ptr[16], total = 0;
	unsigned long i;
	unsigned int have = 0, pos = 0;
	long n;
	int rc;

	if (!addr)
		return ipmon_emit_scalar(w, arg, 0, NULL);
	for (i = 0; i < ARG_COUNT_MAX; i++) {
		if (pos == have) {
			/* Whole chunks first; the list may end right before
			 * an unreadable page, so then one at a time. */
			have = 16;
			pos = 0;
			if (walk_read(w, ptr, addr + i * 8, sizeof(ptr))) {
				have = 1;
				if (walk_read(w, ptr, addr + i * 8, 8))
					return ipmon_emit_fault(w, arg);
			}
		}
		if (!ptr[pos])
			return ipmon_emit_scalar(w, arg, i, "number of strings");
		n = w->strnlen(w->ctx, ptr[pos], ARG_STR_MAX);
		if (n == -ENAMETOOLONG)
			n = ARG_STR_MAX;
		if (n < 0)
			return ipmon_emit_fault(w, arg);
		n = (long)pure_min((uint64_t)n, ARG_STR_MAX);
		total += (uint64_t)n + 9;
		if (total > ARG_TOTAL_MAX)
			break;
		rc = emit(w, IT_STR, arg, ptr[pos], (uint64_t)n, "string");
		if (rc)
			return rc;
		pos++;
	}
	/* Too much for the kernel: E2BIG. */
	return ipmon_emit_scalar(w, arg, i, "too many strings");
}

/*
 * One item per vector.  Lengths are compared as the items' len.  The kernel
 * cuts the sum at MAX_RW_COUNT and refuses a negative length.
 */
int walk_iov(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	     uint64_t count, enum walk_dir dir, unsigned int rule,
	     uint64_t aux, uint64_t min_ret)
{
	uint64_t iov[16][2], left = IPMON_SPAN_MAX, len;
	struct ipmon_item item;
	unsigned int i, n, chunk;
	int rc;

	if (count > WALK_IOV_MAX || !count)
		return 0;	/* EINVAL or nothing to do */
	item.type = dir == WALK_SEND ? IT_IN : IT_OUT;
	item.arg = (uint8_t)arg;
	item.rule = (uint8_t)(dir == WALK_SEND ? 0 : rule);
	/* never 0; a wrapped number cannot meet its equal next door */
	w->next_group = (uint8_t)(w->next_group % 255 + 1);
	item.group = w->next_group;
	item.value = dir == WALK_SEND ? 0 : min_ret;
	item.aux = dir == WALK_SEND ? 0 : aux;
	item.label = "iov[]";
	for (i = 0; i < count; i += chunk) {
		chunk = (unsigned int)pure_min(count - i, 16);
		rc = walk_fetch(w, arg, iov, addr + i * 16ul, chunk * 16ul);
		if (rc)
			return rc < 0 ? rc : 0;
		for (n = 0; n < chunk; n++) {
			len = iov[n][1];
			if (len >> 63)
				return ipmon_emit_scalar(w, arg, len,
							 "iov[].iov_len");
			/* of several, one that goes beyond all memory is
			 * EFAULT before any is looked at */
			if (dir == WALK_SEND && count > 1 &&
			    (iov[n][0] + len) >> 63)
				return ipmon_emit_fault(w, arg);
			len = pure_min(len, left);
			left -= len;
			item.len = (uint32_t)len;
			item.addr = iov[n][0];
			rc = walk_item(w, &item);
			if (rc)
				return rc;
		}
	}
	return 0;
}

unsigned int walk_arg(const struct ipmon_walk *w, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		if ((w->row->arg[i].kind == K_WALK ||
		     w->row->arg[i].kind == K_WALKV) && !n--)
			return i;
	}
	return 5;
}

/* A register as the C int the kernel takes from it. */
uint64_t walk_int(uint64_t reg)
{
	return (uint64_t)(int64_t)(int32_t)reg;
}

/* A count argument as its row declares it; a negative int counts as 0. */
static uint64_t count_of(const struct ipmon_walk *w, unsigned int arg)
{
	uint64_t v = w->args[arg];

	switch (w->row->arg[arg].kind) {
	case K_INT:
		return (int32_t)v < 0 ? 0 : (uint32_t)v;
	case K_UINT:
	case K_FLAGS:
		return (uint32_t)v;
	default:
		return v;
	}
}

static int array(struct ipmon_walk *w, unsigned int i, uint64_t size, int out)
{
	const struct ipmon_arg *d = &w->row->arg[i];
	uint64_t count = count_of(w, d->a);

	/* NGROUPS_MAX, and more than semop takes (kernel.sem, if nobody raised
	 * it): refused unseen */
	if (count > (out ? IPMON_SPAN_MAX / size : size > 4 ? 500 : 65536))
		return walk_null(w, i, w->args[i], NULL);
	if (out)
		return ipmon_emit_out(w, i, w->args[i], count * size, R_RETMUL,
				      size, NULL);
	return ipmon_emit_in(w, i, w->args[i], count * size, NULL);
}

/*
 * O_CREAT or __O_TMPFILE in the flags argument: otherwise whatever happens to
 * be in the mode register is not looked at.
 */
static int open_mode(struct ipmon_walk *w, unsigned int i)
{
	if (!(w->args[w->row->arg[i].a] & 020000100u))
		return 0;
	return ipmon_emit_scalar(w, i, w->args[i] & 07777, "mode");
}

static int off_ptr(struct ipmon_walk *w, unsigned int i)
{
	return walk_inout(w, i, w->args[i], 8, R_ALWAYS, "offset");
}

static int out_intr(struct ipmon_walk *w, unsigned int i)
{
	const struct ipmon_arg *d = &w->row->arg[i];

	if (d->a && (w->args[d->a - 1u] & 1))	/* TIMER_ABSTIME */
		return 0;
	return ipmon_emit_out(w, i, w->args[i], d->b, R_INTR, 0, NULL);
}

/* Arguments compared by value. */
static int scalar(struct ipmon_walk *w, unsigned int i)
{
	uint64_t v = w->args[i];

	switch (w->row->arg[i].kind) {
	case K_INT:
	case K_FD:
	case K_DIRFD:
	case K_PID:
	case K_SIG:
		v = walk_int(v);
		break;
	case K_UINT:
	case K_FLAGS:
		v = (uint32_t)v;
		break;
	case K_MODE:
		v = (uint16_t)v;
		break;
	case K_PTR:
	case K_HINT:
	case K_WALK:
	case K_ASIZE:
		v = v != 0;
		break;
	default:	/* K_LONG K_LFLAGS K_OFF K_SIZE: all 64 bits */
		break;
	}
	return ipmon_emit_scalar(w, i, v, NULL);
}

/*
 * A length that no address space holds ends as EFAULT, EINVAL or such, and
 * what lies behind the address is not looked at.
 */
static int buf_in(struct ipmon_walk *w, unsigned int i)
{
	const struct ipmon_arg *d = &w->row->arg[i];
	uint64_t len = count_of(w, d->a);
	char last;

	if (len >> 47 || (d->b && len > d->b * 64ull))
		return walk_null(w, i, w->args[i], NULL);
	/* what has a bound is copied as a whole, or EFAULT */
	if (d->b && len && w->args[i] &&
	    walk_read(w, &last, w->args[i] + len - 1, 1))
		return ipmon_emit_fault(w, i);
	return ipmon_emit_in(w, i, w->args[i], len, NULL);
}

static int memory(struct ipmon_walk *w, unsigned int i)
{
	const struct ipmon_arg *d = &w->row->arg[i];
	uint64_t addr = w->args[i];

	switch (d->kind) {
	case K_PATH:
	case K_STR:
		return walk_str(w, i, addr, 4096, NULL);
	case K_STRV:
		return walk_strv(w, i, addr);
	case K_BUFIN:
		return buf_in(w, i);
	case K_IN:
		return ipmon_emit_in(w, i, addr, d->b, NULL);
	case K_ARRIN:
		return array(w, i, d->b, 0);
	/* import_iovec() takes the lower half of the count */
	case K_IOVIN:
		return walk_iov(w, i, addr, (uint32_t)count_of(w, d->a),
				WALK_SEND, 0, 0, 0);
	case K_IOVOUT:
		return walk_iov(w, i, addr, (uint32_t)count_of(w, d->a),
				WALK_RECV, R_VEC, 0, 0);
	case K_MSGIN:
		return walk_msg(w, i, addr, WALK_SEND);
	case K_MSGOUT:
		return walk_msg(w, i, addr, WALK_RECV);
	case K_MMSGIN:
		return walk_mmsg(w, i, addr, count_of(w, d->a), WALK_SEND);
	case K_MMSGOUT:
		return walk_mmsg(w, i, addr, count_of(w, d->a), WALK_RECV);
	case K_SADDRIN:
		return walk_sockaddr(w, i, addr, walk_int(w->args[d->a]));
	case K_SADDROUT:
		return walk_sockaddr_out(w, i);
	case K_LENPTR:
		return walk_lenptr(w, i);
	case K_BUFOUT:
		return ipmon_emit_out(w, i, addr, count_of(w, d->a), R_RET, 0,
				      NULL);
	case K_BUFOUTOK:
		return ipmon_emit_out(w, i, addr, count_of(w, d->a), R_SUCCESS, 0,
				      NULL);
	case K_OUT:
		return ipmon_emit_out(w, i, addr, d->b, R_SUCCESS, 0, NULL);
	case K_OUTNZ:
		return ipmon_emit_out(w, i, addr, d->b, R_RETOK_NZ, 0, NULL);
	case K_OUTALWAYS:
		return ipmon_emit_out(w, i, addr, d->b, R_ALWAYS, 0, NULL);
	case K_OUTINTR:
		return out_intr(w, i);
	case K_ARROUT:
		return array(w, i, d->b, 1);
	case K_INOUT:
		return walk_inout(w, i, addr, d->b, R_SUCCESS, NULL);
	case K_INOUTALWAYS:
		return walk_inout(w, i, addr, d->b, R_ALWAYS, NULL);
	case K_OFFPTR:
		return off_ptr(w, i);
	case K_FDSET:
		return walk_fdset(w, i, addr, walk_int(w->args[d->a]));
	case K_POLLFD:
		return walk_pollfd(w, i, addr, count_of(w, d->a));
	case K_SIGSET:
		return walk_sigset(w, i, addr, w->args[d->a]);
	case K_SIGSETOUT:
		return walk_sigset_out(w, i, addr, w->args[d->a]);
	case K_OPENMODE:
		return open_mode(w, i);
	default:
		return -WALK_ENOSYS;	/* a kind nobody implements */
	}
}

static int argument(struct ipmon_walk *w, unsigned int i)
{
	switch (w->row->arg[i].kind) {
	case K_NONE:
	case K_IGN:
	case K_WALKV:
		return 0;
	case K_INT:
	case K_UINT:
	case K_LONG:
	case K_FD:
	case K_DIRFD:
	case K_PID:
	case K_SIG:
	case K_MODE:
	case K_FLAGS:
	case K_LFLAGS:
	case K_OFF:
	case K_SIZE:
	case K_PTR:
	case K_HINT:
	case K_WALK:
	case K_ASIZE:
		return scalar(w, i);
	default:
		return memory(w, i);
	}
}

static int walker(struct ipmon_walk *w)
{
	/* A switch, not an array: pointers would need relocations. */
	switch ((enum ipmon_walker)w->row->walker) {
	case W_NONE: return 0;
	case W_IOCTL: return walk_ioctl(w);
	case W_FCNTL: return walk_fcntl(w);
	case W_FUTEX: return walk_futex(w);
	case W_FUTEX_WAITV: return walk_futex_waitv(w);
	case W_PRCTL: return walk_prctl(w);
	case W_ARCH_PRCTL: return walk_arch_prctl(w);
	case W_EPOLL_CTL: return walk_epoll_ctl(w);
	case W_EPOLL_WAIT: return walk_epoll_wait(w);
	case W_SELECT6: return walk_select6(w);
	case W_SEMCTL: return walk_semctl(w);
	case W_SHMCTL: return walk_shmctl(w);
	case W_MSGCTL: return walk_msgctl(w);
	case W_MSGSND: return walk_msgsnd(w);
	case W_MSGRCV: return walk_msgrcv(w);
	case W_SIGACTION: return walk_sigaction(w);
	case W_SIGALTSTACK: return walk_sigaltstack(w);
	case W_SIGINFO_IN: return walk_siginfo_in(w);
	case W_SIGEVENT: return walk_sigevent(w);
	case W_CLONE: return walk_clone(w);
	case W_CLONE3: return walk_clone3(w);
	case W_MMAP: return walk_mmap(w);
	case W_OPENAT2: return walk_openat2(w);
	case W_SCHED_ATTR_SET: return walk_sched_attr_set(w);
	case W_SCHED_ATTR_GET: return walk_sched_attr_get(w);
	case W_SOCKOPT_GET: return walk_sockopt_get(w);
	case W_SOCKOPT_SET: return walk_sockopt_set(w);
	case W_KEYCTL: return walk_keyctl(w);
	case W_QUOTACTL: return walk_quotactl(w);
	case W_HANDLE_GET: return walk_handle_get(w);
	case W_HANDLE_OPEN: return walk_handle_open(w);
	case W_PROCESS_VM: return walk_process_vm(w);
	case W_MINCORE: return walk_mincore(w);
	case W_CAPGET: return walk_capget(w);
	case W_CAPSET: return walk_capset(w);
	case W_MOUNT: return walk_mount(w);
	case W_MQ_OPEN: return walk_mq_open(w);
	case W_IO_SUBMIT: return walk_io_submit(w);
	case W_IO_GETEVENTS: return walk_io_getevents(w);
	case W_MEMPOLICY_GET: return walk_mempolicy_get(w);
	case W_MEMPOLICY_SET: return walk_mempolicy_set(w);
	case W_MIGRATE_PAGES: return walk_migrate_pages(w);
	case W_MOVE_PAGES: return walk_move_pages(w);
	case W_SECCOMP: return walk_seccomp(w);
	case W_LANDLOCK_ATTR: return walk_landlock_attr(w);
	case W_LANDLOCK_RULE: return walk_landlock_rule(w);
	case W_STATMOUNT: return walk_statmount(w);
	case W_SYSLOG: return walk_syslog(w);
	case W_PROCESS_MADVISE: return walk_process_madvise(w);
	case W_WAITID: return walk_waitid(w);
	case W_FSCONFIG: return walk_fsconfig(w);
	case W_TIMEX: return walk_timex(w);
	case W_UTIMENS: return walk_utimens(w);
	case W_LSM: return walk_lsm(w);
	case W_XATTRAT: return walk_xattrat(w);
	case W_VMSPLICE: return walk_vmsplice(w);
	case W_SYSFS: return walk_sysfs(w);
	case W_KCMP: return walk_kcmp(w);
	case W_MAX: break;
	}
	return -WALK_ENOSYS;
}

int ipmon_walk(struct ipmon_walk *w)
{
	unsigned int i;
	int rc;

	w->next_group = 0;
	if (w->row->exec == EXEC_NONE)
		return -WALK_ENOSYS;
	for (i = 0; i < w->row->nargs && i < 6; i++) {
		rc = argument(w, i);
		if (rc)
			return rc;
	}
	return walker(w);
}

unsigned int ipmon_rule_word(unsigned int rule)
{
	switch (rule) {
	case R_U32:
	case R_U32_ALWAYS:
	case R_VEC_U32:
	case R_NZ32:
		return 4;
	case R_U64:
		return 8;
	default:
		return 0;
	}
}

uint64_t ipmon_vec_total(const struct ipmon_item *item, int64_t ret,
			 uint64_t word)
{
	if (ret < 0 || (uint64_t)ret < item->value)
		return 0;
	if (item->rule == R_VEC_U32)
		return (uint32_t)word;
	return item->rule == R_VEC ? (uint64_t)ret : 0;
}

/* -EINTR, or -ERESTARTSYS .. -ERESTART_RESTARTBLOCK as a tracer sees them. */
static int interrupted(int64_t ret)
{
	return ret == -EINTR || (ret <= -512 && ret >= -516 && ret != -515);
}

uint32_t ipmon_actual(const struct ipmon_item *item, int64_t ret,
		      uint64_t word, uint64_t *vec_left)
{
	uint64_t len = item->len, unit, n;

	if (item->type != IT_OUT)
		return 0;
	switch (item->rule) {
	case R_ALWAYS:
		return item->len;
	case R_INTR:
		return interrupted(ret) ? item->len : 0;
	case R_U32_ALWAYS:
		return (uint32_t)pure_min((uint32_t)word, len);
	default:
		break;
	}
	if (ret < 0 || (uint64_t)ret < item->value)
		return 0;
	unit = item->group ? item->group : 1;
	switch (item->rule) {
	case R_SUCCESS:
		n = len;
		break;
	case R_RETOK_NZ:
		n = ret ? len : 0;
		break;
	case R_NZ32:
		n = (uint32_t)word ? len : 0;
		break;
	case R_RET:
		n = (uint64_t)ret;
		break;
	case R_RETMUL:
		/* no overflow: len has 32 bits, so compare by division */
		unit = item->aux;
		n = unit && (uint64_t)ret <= len / unit ? (uint64_t)ret * unit :
		    unit ? len : 0;
		break;
	case R_U32:
		n = (uint32_t)word * unit;
		break;
	case R_U64:
		n = word <= len / unit ? word * unit : len;
		break;
	case R_VEC:
	case R_VEC_U32:
		n = pure_min(*vec_left, len);
		*vec_left -= n;
		break;
	default:
		n = 0;
		break;
	}
	return (uint32_t)pure_min(n, len);
}
