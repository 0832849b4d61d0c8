/* SPDX-License-Identifier: MIT */
/* probes.h - <linux/kprobes.h>, and what User-Mode Linux, where no probe can be set, has not got */
#ifndef KMOD_QEMU_PROBES_H
#define KMOD_QEMU_PROBES_H

#include <linux/kprobes.h>
#include <linux/ptrace.h>

#ifndef CONFIG_KPROBES
static inline unsigned long regs_get_kernel_argument(struct pt_regs *registers, unsigned int n)
{
	return 0;
}

static inline void instruction_pointer_set(struct pt_regs *registers, unsigned long to)
{
}
#endif

#endif
