/* SPDX-License-Identifier: MIT */
/*
 * cdev.h - who serves a range of character device numbers
 *
 * Invariants
 *   CV1  Numbers are reserved (linux/fs.h) before somebody serves them, and two cdevs serve none in
 *        common.
 *   CV2  After cdev_del() no ->open() runs or begins.  Files opened before live on; they need the
 *        operations, not the struct cdev.
 */
#ifndef _LINUX_CDEV_H
#define _LINUX_CDEV_H

#include <linux/kdev_t.h>
#include <linux/list.h>
#include <linux/types.h>

struct file_operations;
struct module;

struct cdev {
	/* the driver's, constant while it is added */
	struct module *owner;
	const struct file_operations *ops;

	/* from cdev_add() to cdev_del() */
	dev_t dev;
	unsigned int count;

	/* guarded by the lock of host/chardev.c */
	struct list_head list;
	unsigned int opening; /* calls of ->open() under way */
};

/** cdev_init - make @cdev serve with @fops; it is in the driver's memory. Context: any */
void cdev_init(struct cdev *cdev, const struct file_operations *fops);

/**
 * cdev_add - serve @count numbers from @dev on; they can be opened before it returns
 * Context: may sleep.  Returns 0, -EBUSY when another serves one of them, -EINVAL for a @count of
 * 0.
 */
int cdev_add(struct cdev *cdev, dev_t dev, unsigned int count);

/**
 * cdev_del - serve them no more; waits for ->open()
 * Context: may sleep; not from ->open().  WARN if it was not added.
 */
void cdev_del(struct cdev *cdev);

#endif
