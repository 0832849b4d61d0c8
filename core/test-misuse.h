/* SPDX-License-Identifier: MIT */
/*
 * test-misuse.h - what the tests of wrong calls of core share: a buffer that a device is attached
 * to
 */
#ifndef CORE_TEST_MISUSE_H
#define CORE_TEST_MISUSE_H

#include <linux/dma-buf.h>

#include "core/test-exporter.h"
#include "dma/machine.h"
#include "tests/misuse.h"

#define BYTES (2 * PAGE_SIZE)

struct bed {
	struct machine *machine;
	struct device *dev;
	struct test_exporter exporter, other_exporter;
	struct dma_buf *dmabuf, *other;
	struct dma_buf_attachment *attach; /* static, of dmabuf */
};

static inline void bed_up(struct ktap *t, struct bed *bed)
{
	*bed = (struct bed){ .exporter.flags = O_RDWR, .other_exporter.flags = O_RDWR };
	bed->machine = machine_create(machine_type_find("arm"), 0);
	bed->dev = machine_add_device(bed->machine, "importer", false);
	bed->dmabuf = test_export(&bed->exporter, 1);
	bed->other = test_export(&bed->other_exporter, 1);
	bed->attach = dma_buf_attach(bed->dmabuf, bed->dev);
	KT_CHECK(t, !IS_ERR(bed->attach));
}

static inline void bed_down(struct ktap *t, struct bed *bed)
{
	dma_buf_detach(bed->dmabuf, bed->attach);
	dma_buf_put(bed->dmabuf);
	dma_buf_put(bed->other);
	KT_EQ(t, bed->exporter.releases, 1);
	KT_EQ(t, bed->other_exporter.releases, 1);
	machine_remove_device(bed->dev);
	machine_destroy(bed->machine);
}

#endif
