/* SPDX-License-Identifier: MIT */
/*
 * mmu_notifier.h - who is told when user memory goes
 *
 * DIFFERS: nobody.  A program's own memory has no struct page here, so a driver cannot hold it and
 * need not be told.  The header is there for sources that include it and use nothing of it.
 */
#ifndef _LINUX_MMU_NOTIFIER_H
#define _LINUX_MMU_NOTIFIER_H

#include <linux/mm_types.h>

#endif
