/* SPDX-License-Identifier: MIT */
/*
 * of.h - what a device tree says of a device: nothing, as in Linux 6.12 without CONFIG_OF
 *
 * There is no node and no property: what may be absent is, what must be there is an error.
 */
#ifndef _LINUX_OF_H
#define _LINUX_OF_H

#include <linux/errno.h>
#include <linux/mod_devicetable.h>
#include <linux/types.h>

struct device_node;

/** of_match_ptr - the list of compatibles of a driver: none */
#define of_match_ptr(ids) NULL

static inline struct device_node *of_node_get(struct device_node *node)
{
	return node;
}

static inline void of_node_put(struct device_node *node)
{
}

static inline bool of_device_is_compatible(const struct device_node *node, const char *name)
{
	return false;
}

static inline bool of_property_read_bool(const struct device_node *node, const char *name)
{
	return false;
}

/** of_property_read_u32, of_property_read_u64, of_property_read_string - -ENOSYS: none has any */
static inline int of_property_read_u32(const struct device_node *node, const char *name, u32 *value)
{
	return -ENOSYS;
}

static inline int of_property_read_u64(const struct device_node *node, const char *name, u64 *value)
{
	return -ENOSYS;
}

static inline int of_property_read_string(const struct device_node *node, const char *name,
					  const char **value)
{
	return -ENOSYS;
}

#endif
