/* SPDX-License-Identifier: MIT */
/* smp.h - what i915 calls before a device reads past the CPUs' caches; a machine's caches know it already */
#ifndef _ASM_SMP_H
#define _ASM_SMP_H

void wbinvd_on_all_cpus(void);

#endif
