/* SPDX-License-Identifier: MIT */
/*
 * miscdevice.h - one character device with a name and no number worth choosing
 */
#ifndef _LINUX_MISCDEVICE_H
#define _LINUX_MISCDEVICE_H

#include <linux/device.h>
#include <linux/list.h>
#include <linux/types.h>

#define MISC_MAJOR 10
#define MISC_DYNAMIC_MINOR 255

struct file_operations;

struct miscdevice {
	/* the driver's, constant while it is registered */
	int minor; /* MISC_DYNAMIC_MINOR: misc_register() chooses one */
	const char *name;
	const struct file_operations *fops;
	struct device *parent;
	const char *nodename; /* below /dev; NULL: name */
	umode_t mode;         /* recorded nowhere */

	/* misc_register()'s */
	struct list_head list;
	struct device *this_device;
};

/**
 * misc_register - make /dev/@misc->name
 *
 * ->open(), if there is one, finds the miscdevice in file->private_data; without one every open
 * succeeds.
 * Context: may sleep; not from an ->open() of a misc device.
 * Returns 0; -EINVAL without name or operations; -EBUSY the minor is taken; -EEXIST the name is;
 * -ENOMEM.  On failure a chosen minor is MISC_DYNAMIC_MINOR again.
 */
int misc_register(struct miscdevice *misc);

/**
 * misc_deregister - undo that; files that are open stay so
 * Context: as misc_register().  WARN if it was not registered.
 */
void misc_deregister(struct miscdevice *misc);

#endif
