/* SPDX-License-Identifier: MIT */
/*
 * asan.h - AddressSanitizer's marks, which are nothing where a compiler comes without its header
 *
 * Memory that the program must not touch now (freed pages, freed objects) is poisoned for it.
 */
#ifndef HOST_ASAN_H
#define HOST_ASAN_H

#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(addr, size) ((void)(addr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(addr, size) ((void)(addr), (void)(size))
#endif

#endif
