/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the assembly knows of the C structures: held against them in entry.h.
 */
#ifndef IPMON_ARCH_OFFSETS_H
#define IPMON_ARCH_OFFSETS_H

/* struct ipmon_ctx, through %gs */
#define CTX_SELF	0
#define CTX_GATE	8
#define CTX_STACK	16
#define CTX_SAVED_SP	24
#define CTX_LIVE	40
#define CTX_PENDING	44
#define CTX_INSIDE	48
#define CTX_INSN	1160
#define CTX_INSN_BACK	1168
#define CTX_INSN_VALUE	1176

/* struct ipmon_frame */
#define FRAME_NR	0
#define FRAME_ARGS	8
#define FRAME_RDX	24
#define FRAME_FLAGS	64

/* IPMON_KICKED */
#define KICKED		-4096
/* IPMON_NR_FLUSHED */
#define NR_FLUSHED	0x495046000000d3

/* IPMON_INSN_RANDOM */
#define INSN_RANDOM	0xfff1
/* IPMON_INSN_VISIT */
#define INSN_VISIT	0xfff2

#define FLAGS_CARRY	1

/* RFLAGS under which IP-MON does not run: TF, DF, NT, AC. */
#define FLAGS_UNUSUAL	0x44500

#endif
