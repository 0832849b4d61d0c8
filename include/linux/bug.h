/* SPDX-License-Identifier: MIT */
/*
 * bug.h - conditions that must not be
 *
 * WARN* report and go on: the program is wrong, the data is not yet.  BUG* end the program.  The
 * value of a WARN is its condition, so a caller can report and refuse in one line:
 *
 *	if (WARN_ON(!attach->dmabuf))
 *		return -EINVAL;
 *
 * Context: anywhere.  Reports go to the hook of host/warn.h.
 */
#ifndef _LINUX_BUG_H
#define _LINUX_BUG_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include "host/warn.h"

#define WARN(condition, fmt...)                             \
	({                                                  \
		bool warn_cond_ = !!(condition);            \
		if (unlikely(warn_cond_))                   \
			host_warn(__FILE__, __LINE__, fmt); \
		unlikely(warn_cond_);                       \
	})

#define WARN_ON(condition) WARN(condition, "%s", #condition)

#define WARN_ONCE(condition, fmt...)                                      \
	({                                                                \
		static unsigned int warn_site_;                           \
		bool warn_once_ = !!(condition);                          \
		if (unlikely(warn_once_) && host_warn_first(&warn_site_)) \
			host_warn(__FILE__, __LINE__, fmt);               \
		unlikely(warn_once_);                                     \
	})

#define WARN_ON_ONCE(condition) WARN_ONCE(condition, "%s", #condition)

#define BUG() host_bug(__FILE__, __LINE__, __func__, "BUG()")
#define BUG_ON(condition)                                                   \
	do {                                                                \
		if (unlikely(condition))                                    \
			host_bug(__FILE__, __LINE__, __func__, #condition); \
	} while (0)

#endif
