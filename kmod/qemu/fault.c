/* SPDX-License-Identifier: MIT */
/*
 * fault.c - the k-th allocation of a task's fails, in a stock kernel, which has no FAULT_INJECTION
 *
 * A probe on the entry of each allocator sends the call that is to fail to a function that answers
 * NULL; where the kernel can do it itself, it does.  Counted is what one task asks the slab allocator for, the core's and the exporter's
 * allocations, too; not what an interrupt asks for meanwhile, nor what must not fail.
 */
#include <linux/gfp.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "probes.h"
#include "tools.h"

#ifdef CONFIG_FAILSLAB

static bool asked;

long fault_call(struct importer_call *call)
{
	call->handle = asked && !current->fail_nth;
	asked = call->size;
	current->fail_nth = call->size;
	return 0;
}

void fault_exit(void)
{
}

#else

static struct task_struct *victim;
static unsigned int asked, fails_at;
static bool has_failed;

static int count(struct kprobe *probe, struct pt_regs *registers);

/* GFP flags are the second argument, but behind two of a bucket and a size. */
static struct kprobe allocators[] = {
	{ .symbol_name = "__kmalloc_cache_noprof", .pre_handler = count },
	{ .symbol_name = "__kmalloc_noprof", .pre_handler = count },
	{ .symbol_name = "kmem_cache_alloc_noprof", .pre_handler = count },
	{ .symbol_name = "__kvmalloc_node_noprof", .pre_handler = count },
};
#define KVMALLOC 3
static unsigned int probed;

static notrace noinline void *answer_null(void)
{
	return NULL;
}

static int count(struct kprobe *probe, struct pt_regs *registers)
{
	bool buckets = IS_ENABLED(CONFIG_SLAB_BUCKETS) && probe == &allocators[KVMALLOC];
	gfp_t gfp = regs_get_kernel_argument(registers, buckets ? 2 : 1);

	if (current != READ_ONCE(victim) || !in_task() || gfp & __GFP_NOFAIL)
		return 0;
	if (++asked != fails_at)
		return 0;
	has_failed = true;
	instruction_pointer_set(registers, (unsigned long)answer_null);
	return 1;
}
NOKPROBE_SYMBOL(count);

long fault_call(struct importer_call *call)
{
	call->handle = has_failed;
	WRITE_ONCE(victim, NULL);
	asked = 0;
	has_failed = false;
	if (!call->size)
		return 0;
	for (; probed < ARRAY_SIZE(allocators); probed++)
		if (register_kprobe(&allocators[probed]))
			return -EOPNOTSUPP;
	fails_at = call->size;
	WRITE_ONCE(victim, current);
	return 0;
}

void fault_exit(void)
{
	while (probed)
		unregister_kprobe(&allocators[--probed]);
}

#endif
