/* SPDX-License-Identifier: MIT */
/*
 * cache.h - placement by cache line
 *
 * SMP_CACHE_BYTES is what two CPUs fight over: on x86 a line is 64 bytes.  Where the prefetcher
 * takes lines in pairs a structure that must not share asks for two.
 */
#ifndef _LINUX_CACHE_H
#define _LINUX_CACHE_H

#include <linux/compiler.h>

#ifdef __aarch64__
#define L1_CACHE_SHIFT 7
#else
#define L1_CACHE_SHIFT 6
#endif
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
