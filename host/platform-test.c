/* SPDX-License-Identifier: MIT */
/* Platform devices and drivers, in whatever order they come and go. */
#include <linux/platform_device.h>
#include <linux/version.h>
#include <linux/sizes.h>
#include <linux/of.h>
#include <linux/slab.h>
#include "host/port.h"
#include "tests/ktap.h"

static struct {
	unsigned int probes, removes, given_back;
	int answer; /* of ->probe() */
	struct platform_device *last;
	const char *id_entry;
} seen;

static void give_back(void *data)
{
	seen.given_back++;
}

static int probe(struct platform_device *pdev)
{
	int ret = devm_add_action_or_reset(&pdev->dev, give_back, NULL);

	seen.probes++;
	seen.last = pdev;
	seen.id_entry = pdev->id_entry ? pdev->id_entry->name : NULL;
	platform_set_drvdata(pdev, &seen);
	return ret ?: seen.answer;
}

static void give_up(struct platform_device *pdev)
{
	seen.removes += platform_get_drvdata(pdev) == &seen;
}

static const struct platform_device_id ids[] = { { "one" }, { "two" }, {} };
static struct platform_driver driver = {
	.probe = probe,
	.remove = give_up,
	.driver = { .name = "test" },
};
static struct platform_driver by_id = {
	.probe = probe,
	.remove_new = give_up,
	.driver = { .name = "test-by-id" },
	.id_table = ids,
};

static void forget(void)
{
	memset(&seen, 0, sizeof(seen));
}

static void a_driver_finds_its_device(struct ktap *t)
{
	struct platform_device *pdev;

	forget();
	pdev = platform_device_register_simple("test", PLATFORM_DEVID_NONE, NULL, 0);
	KT_ASSERT(t, !IS_ERR(pdev));
	KT_CHECK(t, !strcmp(dev_name(&pdev->dev), "test"));
	KT_EQ(t, platform_driver_register(&driver), 0);
	KT_EQ(t, seen.probes, 1);
	KT_CHECK(t, seen.last == pdev && pdev->dev.driver == &driver.driver);
	platform_driver_unregister(&driver);
	KT_EQ(t, seen.removes, 1);
	KT_EQ(t, seen.given_back, 1);
	KT_CHECK(t, !pdev->dev.driver && !platform_get_drvdata(pdev));
	platform_device_unregister(pdev);
	KT_EQ(t, seen.removes, 1);
}

static void a_device_finds_its_driver(struct ktap *t)
{
	struct platform_device *one, *two, *three;

	forget();
	KT_EQ(t, platform_driver_register(&by_id), 0);
	KT_EQ(t, platform_driver_register(&by_id), -EBUSY);
	one = platform_device_register_simple("one", 3, NULL, 0);
	two = platform_device_register_simple("two", PLATFORM_DEVID_AUTO, NULL, 0);
	/* Who has a list is not for devices of its own name. */
	three = platform_device_register_simple("test-by-id", 0, NULL, 0);
	KT_ASSERT(t, !IS_ERR(one) && !IS_ERR(two) && !IS_ERR(three));
	KT_CHECK(t, !strcmp(dev_name(&one->dev), "one.3"));
	KT_CHECK(t, strstr(dev_name(&two->dev), ".auto"));
	KT_EQ(t, seen.probes, 2);
	KT_CHECK(t, seen.last == two && !strcmp(seen.id_entry, "two") && !three->dev.driver);
	platform_device_unregister(one);
	KT_EQ(t, seen.removes, 1);
	platform_driver_unregister(&by_id);
	KT_EQ(t, seen.removes, 2);
	platform_device_unregister(two);
	platform_device_unregister(three);
	KT_EQ(t, seen.removes, 2);
	KT_EQ(t, seen.given_back, 2);
}

static void who_refuses_has_nothing(struct ktap *t)
{
	struct platform_device *pdev;

	forget();
	seen.answer = -ENODEV;
	KT_EQ(t, platform_driver_register(&driver), 0);
	pdev = platform_device_register_simple("test", PLATFORM_DEVID_NONE, NULL, 0);
	KT_ASSERT(t, !IS_ERR(pdev));
	KT_EQ(t, seen.probes, 1);
	KT_EQ(t, seen.given_back, 1);
	KT_CHECK(t, !pdev->dev.driver && !platform_get_drvdata(pdev));
	platform_driver_unregister(&driver);
	KT_EQ(t, seen.removes, 0);
	/* It may think otherwise another time. */
	seen.answer = 0;
	KT_EQ(t, platform_driver_register(&driver), 0);
	KT_EQ(t, seen.probes, 2);
	platform_device_unregister(pdev);
	platform_driver_unregister(&driver);
	KT_EQ(t, seen.removes, 1);
}

static struct platform_device *inner;

static int probe_outer(struct platform_device *pdev)
{
	inner = platform_device_register_simple("test", 7, NULL, 0);
	return PTR_ERR_OR_ZERO(inner);
}

static void remove_outer(struct platform_device *pdev)
{
	platform_device_unregister(inner);
}

static void a_probe_may_make_a_device(struct ktap *t)
{
	struct platform_driver outer = {
		.probe = probe_outer,
		.remove = remove_outer,
		.driver = { .name = "outer" },
	};
	struct platform_device *pdev;

	forget();
	KT_EQ(t, platform_driver_register(&driver), 0);
	KT_EQ(t, platform_driver_register(&outer), 0);
	pdev = platform_device_register_simple("outer", PLATFORM_DEVID_NONE, NULL, 0);
	KT_ASSERT(t, !IS_ERR(pdev));
	KT_CHECK(t, seen.probes == 1 && seen.last == inner);
	platform_device_unregister(pdev);
	KT_EQ(t, seen.removes, 1);
	platform_driver_unregister(&outer);
	platform_driver_unregister(&driver);
}

static void what_is_no_driver_is_refused(struct ktap *t)
{
	struct platform_driver none = { .probe = probe }, idle = { .driver = { .name = "idle" } };

	KT_EQ(t, platform_driver_register(&none), -EINVAL);
	KT_EQ(t, platform_driver_register(&idle), -EINVAL);
	ktap_expect_warn(t, "not registered");
	platform_driver_unregister(&driver);
}

static irqreturn_t never(int irq, void *data)
{
	return IRQ_HANDLED;
}

static void resources(struct ktap *t)
{
	const struct resource taken[] = {
		{ .start = SZ_64K, .end = SZ_64K + SZ_4K - 1, .flags = IORESOURCE_MEM },
		{ .start = 42, .end = 42, .flags = IORESOURCE_IRQ },
	};
	struct platform_device *pdev;
	struct resource *res;

	pdev = platform_device_register_simple("taker", PLATFORM_DEVID_NONE, taken, 2);
	KT_ASSERT(t, !IS_ERR(pdev));
	res = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	KT_CHECK(t, res && res != taken && resource_size(res) == SZ_4K);
	KT_CHECK(t, !platform_get_resource(pdev, IORESOURCE_MEM, 1));
	KT_EQ(t, platform_get_irq(pdev, 0), 42);
	KT_CHECK(t, platform_get_irq_optional(pdev, 1) > 0);
	KT_EQ(t, devm_request_irq(&pdev->dev, 42, never, IRQF_SHARED, "taker", pdev), 0);
	KT_EQ(t, PTR_ERR(devm_platform_ioremap_resource(pdev, 0)), -ENOMEM);
	KT_EQ(t, PTR_ERR(devm_platform_ioremap_resource(pdev, 1)), -EINVAL);
	platform_device_unregister(pdev);
}

static void every_allocation_may_fail(struct ktap *t)
{
	const struct resource taken = { .flags = IORESOURCE_MEM };
	struct platform_device *pdev = ERR_PTR(-ENOMEM);
	int nth;

	for (nth = 1; IS_ERR(pdev); nth++) {
		KT_EQ(t, PTR_ERR(pdev), -ENOMEM);
		port_fail_nth(PORT_FAULT_ALLOC, nth);
		pdev = platform_device_register_simple("taker", 1, &taken, 1);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
	}
	KT_CHECK(t, nth > 3);
	platform_device_unregister(pdev);
}

static void a_version_and_no_tree(struct ktap *t)
{
	u32 value;

	KT_CHECK(t, LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0));
	KT_CHECK(t, LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0));
	KT_CHECK(t, KERNEL_VERSION(6, 1, 300) == KERNEL_VERSION(6, 1, 255));
	KT_CHECK(t, !of_match_ptr(ids));
	KT_EQ(t, of_property_read_u32(NULL, "size", &value), -ENOSYS);
}

KTAP_MAIN(KTAP_CASE(a_driver_finds_its_device), KTAP_CASE(a_device_finds_its_driver),
	  KTAP_CASE(who_refuses_has_nothing), KTAP_CASE(a_probe_may_make_a_device),
	  KTAP_CASE(what_is_no_driver_is_refused), KTAP_CASE(resources),
	  KTAP_CASE(every_allocation_may_fail), KTAP_CASE(a_version_and_no_tree))
