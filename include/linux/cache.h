/* SPDX-License-Identifier: MIT */
/*
 * cache.h - placement by cache line
 *
 * SMP_CACHE_BYTES is what two CPUs fight over: 64 bytes, on arm64 as in Linux, too.  Where the
 * prefetcher takes lines in pairs a structure that must not share asks for two.
 */
#ifndef _LINUX_CACHE_H
#define _LINUX_CACHE_H

#include <linux/compiler.h>

#define L1_CACHE_SHIFT 6
#define L1_CACHE_BYTES (1 << L1_CACHE_SHIFT)
#define SMP_CACHE_BYTES L1_CACHE_BYTES
#define L1_CACHE_ALIGN(x) (((x) + L1_CACHE_BYTES - 1) & ~((typeof(x))L1_CACHE_BYTES - 1))

#define ____cacheline_aligned __aligned(SMP_CACHE_BYTES)
#define ____cacheline_aligned_in_smp ____cacheline_aligned
#define __cacheline_aligned ____cacheline_aligned
#define __cacheline_aligned_in_smp ____cacheline_aligned
#define __read_mostly
#define __ro_after_init

#endif
