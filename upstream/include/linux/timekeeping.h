/* SPDX-License-Identifier: MIT */
/* timekeeping.h - all of it is in <linux/ktime.h> */
#ifndef _LINUX_TIMEKEEPING_H
#define _LINUX_TIMEKEEPING_H

#include <linux/ktime.h>

#endif
