/* SPDX-License-Identifier: MIT */
/*
 * devres.h - what a driver has taken for a device goes with the device
 *
 * Invariants
 *   DR1  What is still there at device_del(), after all were told, and at the last put_device(), is
 *        given back then, the last taken first.
 *   DR2  A release runs once, in a context that may sleep; it may not add to the same device.
 *
 * Context: as the gfp allows; devm_kfree() and the actions' calls anywhere, but a release that they
 * run decides for itself.  One device's calls exclude each other.
 * Semantics: Linux 6.12.  DIFFERS: of a device that no bus has given a driver, device_del() is the
 * moment.
 */
#ifndef _LINUX_DEVICE_DEVRES_H
#define _LINUX_DEVICE_DEVRES_H

#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/types.h>
#include <stdarg.h>

struct device;

/** devm_kmalloc and its family - as kmalloc() and its; freed with @dev, or by devm_kfree() */
void *devm_kmalloc(struct device *dev, size_t size, gfp_t gfp);
void *devm_kmemdup(struct device *dev, const void *src, size_t len, gfp_t gfp);
char *devm_kstrdup(struct device *dev, const char *s, gfp_t gfp);
char *devm_kasprintf(struct device *dev, gfp_t gfp, const char *fmt, ...) __printf(3, 4);
char *devm_kvasprintf(struct device *dev, gfp_t gfp, const char *fmt, va_list args) __printf(3, 0);

static inline void *devm_kzalloc(struct device *dev, size_t size, gfp_t gfp)
{
	return devm_kmalloc(dev, size, gfp | __GFP_ZERO);
}

static inline void *devm_kmalloc_array(struct device *dev, size_t n, size_t size, gfp_t gfp)
{
	size_t len;

	return check_mul_overflow(n, size, &len) ? NULL : devm_kmalloc(dev, len, gfp);
}

static inline void *devm_kcalloc(struct device *dev, size_t n, size_t size, gfp_t gfp)
{
	return devm_kmalloc_array(dev, n, size, gfp | __GFP_ZERO);
}

/** devm_krealloc - as krealloc() for what these gave; a failure leaves @p as it was */
void *devm_krealloc(struct device *dev, void *p, size_t size, gfp_t gfp);

/** devm_kfree - now. NULL is ignored; WARN if @p is not @dev's */
void devm_kfree(struct device *dev, const void *p);

/**
 * devm_add_action - @action(@data) when @dev goes: 0, -ENOMEM
 * devm_add_action_or_reset - and at once if that fails
 * devm_remove_action, devm_release_action - not any more; the latter: but now.  WARN if there is none
 */
int __must_check devm_add_action(struct device *dev, void (*action)(void *), void *data);
int __must_check devm_add_action_or_reset(struct device *dev, void (*action)(void *), void *data);
void devm_remove_action(struct device *dev, void (*action)(void *), void *data);
void devm_release_action(struct device *dev, void (*action)(void *), void *data);

/**
 * devres_open_group - what is taken from here on belongs together
 * @id: names the group; NULL: the one returned
 *
 * devres_release_group() gives all of it back, devres_remove_group() only forgets that it was one;
 * their @id NULL means the last opened.  DIFFERS: a group is never closed, it ends at the top.
 * Returns the id, or NULL: no memory.  The others WARN for an unknown one.
 */
void *__must_check devres_open_group(struct device *dev, void *id, gfp_t gfp);
void devres_remove_group(struct device *dev, void *id);
int devres_release_group(struct device *dev, void *id);

/** devres_release_all - everything, now; what device_del() does. Returns how many */
int devres_release_all(struct device *dev);

#endif
