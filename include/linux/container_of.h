/* SPDX-License-Identifier: MIT */
/* container_of.h - from a member to the structure it is embedded in */
#ifndef _LINUX_CONTAINER_OF_H
#define _LINUX_CONTAINER_OF_H

#include <linux/compiler.h>
#include <linux/stddef.h>

/**
 * container_of - the @type whose @member is at @ptr
 *
 * @ptr must point at that very member; a pointer to another type does not compile.
 */
#define container_of(ptr, type, member)                                            \
	({                                                                         \
		_Static_assert(__same_type(*(ptr), ((type *)0)->member) ||         \
				       __same_type(*(ptr), void),                  \
			       "container_of: the pointer is not to that member"); \
		(type *)((char *)(void *)(ptr)-offsetof(type, member));            \
	})

#define typeof_member(type, member) typeof(((type *)0)->member)

#endif
