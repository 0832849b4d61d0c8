/* SPDX-License-Identifier: MIT */
/* What is taken for a device goes with it, in reverse, once. */
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "host/port.h"
#include "tests/ktap.h"

static char trace[16];
static int traced;

static void note(void *text)
{
	trace[traced++] = *(char *)text;
	trace[traced] = '\0';
}

static void release(struct device *dev)
{
}

static void start(struct device *dev)
{
	*dev = (struct device){ .init_name = "dev", .release = release };
	device_initialize(dev);
	traced = 0;
	trace[0] = '\0';
}

static void the_last_goes_first(struct ktap *t)
{
	struct device dev;
	char *text;

	start(&dev);
	KT_EQ(t, device_add(&dev), 0);
	KT_EQ(t, devm_add_action(&dev, note, "a"), 0);
	text = devm_kasprintf(&dev, GFP_KERNEL, "%c", 'b');
	KT_ASSERT(t, text);
	/* Its memory is still there when the action runs: the sanitizer would tell. */
	KT_EQ(t, devm_add_action(&dev, note, text), 0);
	KT_EQ(t, devm_add_action_or_reset(&dev, note, "c"), 0);
	device_del(&dev);
	KT_CHECK(t, !strcmp(trace, "cba"));
	KT_EQ(t, devm_add_action(&dev, note, "z"), 0);
	put_device(&dev);
	KT_CHECK(t, !strcmp(trace, "cbaz"));
}

static void memory(struct ktap *t)
{
	struct device dev;
	int *numbers, *more;

	start(&dev);
	numbers = devm_kcalloc(&dev, 4, sizeof(*numbers), GFP_KERNEL);
	KT_ASSERT(t, numbers && !numbers[3]);
	numbers[3] = 7;
	more = devm_krealloc(&dev, numbers, 8 * sizeof(*more), GFP_KERNEL);
	KT_ASSERT(t, more);
	KT_EQ(t, more[3], 7);
	more[7] = 1;
	more = devm_krealloc(&dev, more, sizeof(*more), GFP_KERNEL);
	KT_CHECK(t, more && !more[0]);
	KT_CHECK(t, !devm_kcalloc(&dev, SIZE_MAX / 2, 4, GFP_KERNEL));
	KT_CHECK(t, !devm_kstrdup(&dev, NULL, GFP_KERNEL));
	devm_kfree(&dev, more);
	devm_kfree(&dev, NULL);
	devm_kfree(&dev, devm_kmalloc(&dev, 0, GFP_KERNEL));
	ktap_expect_warn(t, "devm_kfree");
	devm_kfree(&dev, &dev);
	KT_EQ(t, devres_release_all(&dev), 0);
	KT_CHECK(t, devm_kmemdup(&dev, "x", 2, GFP_KERNEL));
	KT_EQ(t, devres_release_all(&dev), 1);
	put_device(&dev);
}

static void actions_are_taken_back(struct ktap *t)
{
	struct device dev;
	static char a[] = "a", b[] = "b";

	start(&dev);
	KT_EQ(t, devm_add_action(&dev, note, a), 0);
	KT_EQ(t, devm_add_action(&dev, note, b), 0);
	devm_release_action(&dev, note, a);
	KT_CHECK(t, !strcmp(trace, "a"));
	devm_remove_action(&dev, note, b);
	ktap_expect_warn(t, "no such action");
	devm_remove_action(&dev, note, b);
	ktap_expect_warn(t, "no such action");
	devm_release_action(&dev, note, a);
	put_device(&dev);
	KT_CHECK(t, !strcmp(trace, "a"));
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, devm_add_action_or_reset(&dev, note, b), -ENOMEM);
	KT_CHECK(t, !strcmp(trace, "ab"));
}

static void groups(struct ktap *t)
{
	struct device dev;
	void *outer, *inner;

	start(&dev);
	KT_EQ(t, devm_add_action(&dev, note, "a"), 0);
	outer = devres_open_group(&dev, NULL, GFP_KERNEL);
	KT_EQ(t, devm_add_action(&dev, note, "b"), 0);
	inner = devres_open_group(&dev, &dev, GFP_KERNEL);
	KT_CHECK(t, outer && inner == &dev);
	KT_EQ(t, devm_add_action(&dev, note, "c"), 0);
	KT_EQ(t, devres_release_group(&dev, NULL), 1);
	KT_CHECK(t, !strcmp(trace, "c"));
	KT_EQ(t, devm_add_action(&dev, note, "d"), 0);
	KT_EQ(t, devres_release_group(&dev, outer), 2);
	KT_CHECK(t, !strcmp(trace, "cdb"));
	ktap_expect_warn(t, "no such group");
	KT_EQ(t, devres_release_group(&dev, inner), 0);
	outer = devres_open_group(&dev, NULL, GFP_KERNEL);
	devres_remove_group(&dev, outer);
	ktap_expect_warn(t, "no such group");
	devres_remove_group(&dev, outer);
	put_device(&dev);
	KT_CHECK(t, !strcmp(trace, "cdba"));
}

KTAP_MAIN(KTAP_CASE(the_last_goes_first), KTAP_CASE(memory), KTAP_CASE(actions_are_taken_back),
	  KTAP_CASE(groups))
