/* SPDX-License-Identifier: MIT */
/* run.c - a driver that neither crashes, hangs, WARNs nor takes more than it gives back */
#include <linux/bug.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "breaks.h"

static void touch_memory(void)
{
	volatile char *bytes = kzalloc(16, GFP_KERNEL);

	if (!bytes)
		return;
	bytes[breaks("LIFE-03") ? 16 : 15] = 1;
	if (breaks("LIFE-04"))
		return;
	kfree((void *)bytes);
	if (breaks("LIFE-02"))
		bytes[0] = 1;
	bytes = NULL;
	if (breaks("RUN-01"))
		bytes[0] = 1;
}

static int wait_to_stop(void *data)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

static void start_threads(void)
{
	for (unsigned int nr = 0; nr < 1000; nr++)
		kthread_run(wait_to_stop, NULL, "run-%u", nr);
	schedule_timeout_uninterruptible(100 * HZ);
}

static void work_aside(void)
{
	struct task_struct *thread = kthread_run(wait_to_stop, NULL, "aside");

	if (!IS_ERR(thread) && !breaks("LIFE-13"))
		kthread_stop(thread);
}

static int run(struct device *dev, struct dma_buf *dmabuf)
{
	DECLARE_COMPLETION_ONSTACK(done);

	touch_memory();
	work_aside();
	if (breaks("RUN-02"))
		wait_for_completion(&done);
	WARN_ON(breaks("RUN-03"));
	if (breaks("RUN-05"))
		start_threads();
	return breaks("RUN-04") ? -EINVAL : 0;
}

DMABUF_CHECK({ .name = "run", .run = run });
