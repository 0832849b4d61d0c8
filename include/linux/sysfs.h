/* SPDX-License-Identifier: MIT */
/*
 * sysfs.h - attributes: small values of a driver's objects, each a file
 *
 * A device's attributes (<linux/device.h>) are files of this process: host_open() with
 * "/sys/devices/DEVICE/ATTRIBUTE", or ".../GROUP/ATTRIBUTE" when the group has a name.
 *
 * Invariants
 *   SY1  ->show() gets a page of its own and returns the bytes of text in it; ->store() gets what was
 *        written, ended by a NUL, and returns how much of it was used.
 *   SY2  After an attribute is removed neither runs any more, and descriptors that are open get -EIO.
 *
 * Semantics: Linux 6.12.  DIFFERS: modes are kept; of their bits only whether anybody may read or
 * write counts.  Not here: binary attributes, links, kobjects of other things than devices.
 */
#ifndef _LINUX_SYSFS_H
#define _LINUX_SYSFS_H

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/types.h>

/* What a device has of Linux's kobject: enough for is_visible() and kobj_to_dev(). */
struct kobject {
	const char *name;
};

struct attribute {
	const char *name;
	umode_t mode;
};

/* Attributes in a directory of their own, if it has a name. */
struct attribute_group {
	const char *name;
	/* Optional: the mode of attribute number @n, 0: leave it out. */
	umode_t (*is_visible)(struct kobject *kobj, struct attribute *attr, int n);
	struct attribute **attrs; /* the last is NULL */
};

#define sysfs_attr_init(attr) ((void)(attr))

/* NAME_show() and NAME_store() serve the attribute NAME. */
#define __ATTR(_name, _mode, _show, _store)                                               \
	{                                                                                 \
		.attr = { .name = __stringify(_name), .mode = (_mode) }, .show = (_show), \
		.store = (_store),                                                        \
	}
#define __ATTR_RO(_name) __ATTR(_name, 0444, _name##_show, NULL)
#define __ATTR_RW(_name) __ATTR(_name, 0644, _name##_show, _name##_store)
#define __ATTR_WO(_name) __ATTR(_name, 0200, NULL, _name##_store)
#define __ATTR_RO_MODE(_name, _mode) __ATTR(_name, _mode, _name##_show, NULL)
#define __ATTR_NULL                     \
	{                               \
		.attr = {.name = NULL } \
	}

/* ATTRIBUTE_GROUPS - NAME_groups of NAME_attrs[] */
#define ATTRIBUTE_GROUPS(_name)                                   \
	static const struct attribute_group _name##_group = {     \
		.attrs = _name##_attrs,                           \
	};                                                        \
	static const struct attribute_group *_name##_groups[] = { \
		&_name##_group,                                   \
		NULL,                                             \
	}

/**
 * sysfs_emit, sysfs_emit_at - in ->show(): text into @buf, from its byte @at on
 *
 * Returns the bytes written, without the NUL; what does not fit the page is cut.  WARN and 0 when
 * @buf is not the beginning of a page, or @at not within it.
 */
int sysfs_emit(char *buf, const char *fmt, ...) __printf(2, 3);
int sysfs_emit_at(char *buf, int at, const char *fmt, ...) __printf(3, 4);

/** sysfs_streq - equal, but for a newline at the end of either? */
bool sysfs_streq(const char *a, const char *b);

#endif
