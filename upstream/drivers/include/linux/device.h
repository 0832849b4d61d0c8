/* SPDX-License-Identifier: MIT */
/* device.h - what a bus's driver says of itself, beside <linux/device.h> */
#ifndef UPSTREAM_DEVICE_H
#define UPSTREAM_DEVICE_H

#include_next <linux/device.h>

struct module;
struct of_device_id;

struct device_driver {
	const char *name;
	struct module *owner;
	const struct of_device_id *of_match_table;
	bool suppress_bind_attrs;
};

#endif
