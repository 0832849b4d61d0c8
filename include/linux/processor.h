/* SPDX-License-Identifier: MIT */
/* processor.h - a hint inside a loop that waits for another CPU */
#ifndef _LINUX_PROCESSOR_H
#define _LINUX_PROCESSOR_H

#include <linux/compiler.h>

static inline void cpu_relax(void)
{
#if defined(LIBDMABUF_SCHEDULES)
	port_yield(); /* nobody else goes on meanwhile */
#elif defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("yield" : : : "memory");
#endif
	barrier();
}

#endif
