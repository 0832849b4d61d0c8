/* SPDX-License-Identifier: MIT */
/*
 * stddef.h - NULL, offsetof and the size of members
 *
 * The system's <linux/types.h> includes <linux/stddef.h>, so this one continues with the system's.
 */
#ifndef _LINUX_STDDEF_H
#define _LINUX_STDDEF_H

#include_next <linux/stddef.h>
#include <stdbool.h>
#include <stddef.h>

#define sizeof_field(type, member) sizeof((((type *)0)->member))
#define offsetofend(type, member) (offsetof(type, member) + sizeof_field(type, member))

#endif
