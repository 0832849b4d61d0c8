/* SPDX-License-Identifier: MIT */
/* lockdep_types.h - what every lock carries for <linux/lockdep.h>: its owner and its name */
#ifndef _LINUX_LOCKDEP_TYPES_H
#define _LINUX_LOCKDEP_TYPES_H

struct task_struct;

struct lockdep_map {
	struct task_struct *owner; /* the thread that holds it; atomic: others may ask */
	const char *name;
};

struct lock_class_key {
	char unused;
};

#endif
