/* SPDX-License-Identifier: MIT */
/* Devices: names, life, and who is told of the end. */
#include <string.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/slab.h>
#include "host/port.h"
#include "tests/ktap.h"

static int released;

static void release(struct device *dev)
{
	released++;
	kfree(dev);
}

static struct device *make(const char *name, struct device *parent)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	dev->init_name = name;
	dev->parent = parent;
	dev->release = release;
	return dev;
}

static void last_reference_releases(struct ktap *t)
{
	struct device *dev = make("camera", NULL);

	released = 0;
	KT_EQ(t, device_register(dev), 0);
	KT_CHECK(t, device_is_registered(dev));
	KT_CHECK(t, !strcmp(dev_name(dev), "camera"));
	KT_CHECK(t, get_device(dev) == dev);
	device_unregister(dev);
	KT_EQ(t, released, 0);
	KT_CHECK(t, !device_is_registered(dev));
	KT_CHECK(t, !strcmp(dev_name(dev), "camera"));
	put_device(dev);
	KT_EQ(t, released, 1);
	KT_CHECK(t, !get_device(NULL));
	put_device(NULL);
}

static void parents_outlive_children(struct ktap *t)
{
	struct device *parent = make("bus", NULL), *child;

	released = 0;
	KT_EQ(t, device_register(parent), 0);
	child = make("gpu", parent);
	KT_EQ(t, device_register(child), 0);
	device_unregister(parent);
	KT_EQ(t, released, 0);
	device_unregister(child);
	KT_EQ(t, released, 2);
}

static void names(struct ktap *t)
{
	struct device *dev = make(NULL, NULL);

	KT_CHECK(t, !strcmp(dev_name(dev), "(unnamed)"));
	device_initialize(dev);
	KT_EQ(t, device_add(dev), -EINVAL);
	KT_EQ(t, dev_set_name(dev, "isp%d", 3), 0);
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, dev_set_name(dev, "isp%d", 4), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_CHECK(t, !strcmp(dev_name(dev), "isp3"));
	KT_EQ(t, device_add(dev), 0);
	KT_EQ(t, device_add(dev), -EINVAL);
	ktap_expect_warn(t, "renamed while");
	KT_EQ(t, dev_set_name(dev, "other"), -EINVAL);
	device_unregister(dev);
}

static void a_device_that_was_not_added(struct ktap *t)
{
	struct device *dev = make("x", NULL);

	device_initialize(dev);
	ktap_expect_warn(t, "deleted but not added");
	device_del(dev);
	put_device(dev);
}

static void failing_to_add_leaks_nothing(struct ktap *t)
{
	struct device *dev = make("x", NULL);

	released = 0;
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, device_register(dev), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	put_device(dev);
	KT_EQ(t, released, 1);
}

static void without_release_is_told(struct ktap *t)
{
	static struct device dev;

	dev = (struct device){ .init_name = "static" };
	KT_EQ(t, device_register(&dev), 0);
	ktap_expect_warn(t, "has no release function");
	device_unregister(&dev);
}

static void released_while_added_is_told(struct ktap *t)
{
	struct device *dev = make("early", NULL);

	KT_EQ(t, device_register(dev), 0);
	ktap_expect_warn(t, "released while it is added");
	put_device(dev);
}

/* --- the end ---------------------------------------------------------------------------------- */

static char told[8];
static struct device *told_of;

static void first(struct device *dev)
{
	strcat(told, "1");
	told_of = device_is_registered(dev) ? dev : NULL;
}

static void second(struct device *dev)
{
	strcat(told, "2");
}

static void the_end_is_announced_in_order(struct ktap *t)
{
	struct device *dev = make("gone", NULL), *silent = make("never-added", NULL);

	told[0] = 0;
	KT_EQ(t, host_device_gone_register(first), 0);
	KT_EQ(t, host_device_gone_register(second), 0);
	KT_EQ(t, host_device_gone_register(first), -EEXIST);
	KT_EQ(t, device_register(dev), 0);
	KT_CHECK(t, !strcmp(told, ""));
	device_del(dev);
	KT_CHECK(t, !strcmp(told, "12"));
	KT_CHECK(t, told_of == dev);
	put_device(dev);

	device_initialize(silent);
	put_device(silent);
	KT_CHECK(t, !strcmp(told, "12"));

	host_device_gone_unregister(first);
	dev = make("gone", NULL);
	KT_EQ(t, device_register(dev), 0);
	device_unregister(dev);
	KT_CHECK(t, !strcmp(told, "122"));
	host_device_gone_unregister(second);
	ktap_expect_warn(t, "not registered");
	host_device_gone_unregister(second);

	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, host_device_gone_register(first), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
}

KTAP_MAIN(KTAP_CASE(last_reference_releases), KTAP_CASE(parents_outlive_children), KTAP_CASE(names),
	  KTAP_CASE(a_device_that_was_not_added), KTAP_CASE(failing_to_add_leaks_nothing),
	  KTAP_CASE(without_release_is_told), KTAP_CASE(released_while_added_is_told),
	  KTAP_CASE(the_end_is_announced_in_order))
