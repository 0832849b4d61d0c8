/* SPDX-License-Identifier: MIT */
/*
 * bracket-scenarios.c - a device that does not snoop beside the CPU: who sees whom open, and which bytes
 *
 * One word stands for the buffer, once as the caches have it and once as memory does.  The rule is
 * CO1 of core/coherence.h: who reads behind an ordering point finds what was written before it.
 */
#include "checker/schedules/schedules.h"
#include "core/test-mapping-slot.h"

static struct rig rig;
static u32 in_caches, in_memory;
static atomic_t ended; /* the other one's access */

static void clean(struct mapping_slot *slot, size_t offset, size_t len, enum dma_data_direction dir)
{
	WRITE_ONCE(in_memory, READ_ONCE(in_caches));
}

static void invalidate(struct mapping_slot *slot, size_t offset, size_t len,
		       enum dma_data_direction dir)
{
	WRITE_ONCE(in_caches, READ_ONCE(in_memory));
}

static void clean_invalidate(struct mapping_slot *slot, size_t offset, size_t len)
{
	/* Nobody of the CPU writes beside a device in these scenarios. */
	WRITE_ONCE(in_caches, READ_ONCE(in_memory));
}

static const struct mapping_slot_ops ops = {
	.build = rig_build,
	.destroy = rig_destroy,
	.widen = rig_widen,
	.sync_for_device = clean,
	.sync_for_cpu = invalidate,
	.clean_invalidate = clean_invalidate,
	.reaped = rig_reaped,
};

/* Memory alone is whole, and the slot's table is live. */
static void setup(void)
{
	in_caches = in_memory = 0;
	atomic_set(&ended, 0);
	rig_init(&rig, &ops, COHERENCE_MEMORY, false);
	rig_unmap(&rig, rig_map(&rig, DMA_BIDIRECTIONAL));
}

static u32 cpu_reads(void)
{
	u32 word;

	schedule_check(!coherence_cpu_begin(&rig.coherence, 0, RIG_BYTES, COHERENCE_READ),
		       "no bracket");
	word = READ_ONCE(in_caches);
	coherence_cpu_end(&rig.coherence, 0, RIG_BYTES, COHERENCE_READ);
	return word;
}

static void finish(void)
{
	schedule_check(cpu_reads() == 1, "the newest bytes are lost");
	schedule_check(rig_quiet(&rig), "somebody is still counted");
	rig_fini(&rig);
}

/* --- a device writes, the CPU reads ----------------------------------------------------------- */

static void device_write(void)
{
	struct sg_table *sgt = rig_map(&rig, DMA_FROM_DEVICE);

	WRITE_ONCE(in_memory, 1);
	smp_mb(); /* the device's job is done: unmap does not order what it wrote */
	rig_unmap(&rig, sgt);
	atomic_set_release(&ended, 1);
}

static void device_write_held(void)
{
	struct sg_table *sgt;

	rig_lock(&rig);
	sgt = mapping_slot_map_locked(&rig.slot, DMA_FROM_DEVICE);
	WRITE_ONCE(in_memory, 1);
	smp_mb();
	rig_unmap_locked(&rig, sgt);
	rig_unlock(&rig);
	atomic_set_release(&ended, 1);
}

static void cpu_read(void)
{
	bool behind;
	u32 word;

	schedule_check(!coherence_cpu_begin(&rig.coherence, 0, RIG_BYTES, COHERENCE_READ),
		       "no bracket");
	behind = atomic_read_acquire(&ended);
	word = READ_ONCE(in_caches);
	schedule_check(!behind || word == 1,
		       "the CPU reads what was there before the device wrote");
	coherence_cpu_end(&rig.coherence, 0, RIG_BYTES, COHERENCE_READ);
}

/* --- the CPU writes, a device reads ----------------------------------------------------------- */

static void cpu_write(void)
{
	schedule_check(!coherence_cpu_begin(&rig.coherence, 0, RIG_BYTES, COHERENCE_WRITE),
		       "no bracket");
	WRITE_ONCE(in_caches, 1);
	coherence_cpu_end(&rig.coherence, 0, RIG_BYTES, COHERENCE_WRITE);
	atomic_set_release(&ended, 1);
}

static void device_read(void)
{
	struct sg_table *sgt = rig_map(&rig, DMA_TO_DEVICE);
	bool behind = atomic_read_acquire(&ended);
	u32 word = READ_ONCE(in_memory);

	schedule_check(!behind || word == 1,
		       "the device reads what was there before the CPU wrote");
	rig_unmap(&rig, sgt);
}

/* A hit that finds M whole looks no further: what it then reads must be there. */
static void device_read_twice(void)
{
	device_read();
	device_read();
}

static void device_read_held(void)
{
	struct sg_table *sgt;
	bool behind;
	u32 word;

	rig_lock(&rig);
	sgt = mapping_slot_map_locked(&rig.slot, DMA_TO_DEVICE);
	behind = atomic_read_acquire(&ended);
	word = READ_ONCE(in_memory);
	schedule_check(!behind || word == 1,
		       "the device reads what was there before the CPU wrote");
	rig_unmap_locked(&rig, sgt);
	rig_unlock(&rig);
}

/* --- who is seen to be gone --------------------------------------------------------------------- */

static struct sg_table *mapped;
static u32 bytes; /* plain: who reads too early races */

static void setup_mapped(void)
{
	setup();
	bytes = 0;
	mapped = rig_map(&rig, DMA_FROM_DEVICE);
}

static void setup_mapped_held(void)
{
	setup();
	bytes = 0;
	rig_lock(&rig);
	mapped = mapping_slot_map_locked(&rig.slot, DMA_FROM_DEVICE);
	rig_unlock(&rig);
}

static void write_and_unmap(void)
{
	bytes = 1;
	rig_unmap(&rig, mapped);
}

static void write_and_unmap_held(void)
{
	rig_lock(&rig);
	bytes = 1;
	rig_unmap_locked(&rig, mapped);
	rig_unlock(&rig);
}

/* As a transition's scan does, which holds no lock that the mapper takes. */
static void look_whether_open(void)
{
	if (!mapping_slot_open(&rig.slot))
		schedule_check(bytes == 1, "who has gone left nothing behind");
}

static void finish_unmapped(void)
{
	schedule_check(rig_quiet(&rig), "somebody is still counted");
	rig_fini(&rig);
}

/* --- the CPU has written, two devices read ---------------------------------------------------- */

static void setup_written(void)
{
	setup();
	cpu_write();
}

static void device_reads_one(void)
{
	struct sg_table *sgt = rig_map(&rig, DMA_TO_DEVICE);

	schedule_check(READ_ONCE(in_memory) == 1, "a device reads what was there before");
	rig_unmap(&rig, sgt);
}

static void move(void)
{
	struct mapping_slot *slot = &rig.slot;

	rig_lock(&rig);
	if (!mapping_slots_freeze(&slot, 1, 0)) {
		mapping_slots_teardown(&slot, 1);
		mapping_slots_rebuild(&slot, 1);
	}
	rig_unlock(&rig);
}

const struct scenario hit_bracket = {
	.name = "hit-bracket",
	.what = "a device that writes, by a hit, beside a CPU that reads in a bracket",
	.setup = setup,
	.threads = { { "device", device_write }, { "cpu", cpu_read } },
	.finish = finish,
};

const struct scenario held_bracket = {
	.name = "held-bracket",
	.what = "the same with a map under the reservation",
	.setup = setup,
	.threads = { { "device", device_write_held }, { "cpu", cpu_read } },
	.finish = finish,
};

const struct scenario out_seen = {
	.name = "out-seen",
	.what = "an unmap beside who looks whether the device still has the buffer open",
	.setup = setup_mapped,
	.threads = { { "device", write_and_unmap }, { "look", look_whether_open } },
	.finish = finish_unmapped,
};

const struct scenario held_out_seen = {
	.name = "held-out-seen",
	.what = "the same with a map under the reservation",
	.setup = setup_mapped_held,
	.threads = { { "device", write_and_unmap_held }, { "look", look_whether_open } },
	.finish = finish_unmapped,
};

const struct scenario bracket_hit = {
	.name = "bracket-hit",
	.what = "a CPU that writes in a bracket beside a device that reads, by hits",
	.setup = setup,
	.threads = { { "cpu", cpu_write }, { "device", device_read_twice } },
	.finish = finish,
};

const struct scenario bracket_held = {
	.name = "bracket-held",
	.what = "a CPU that writes in a bracket beside a device that maps under the reservation",
	.setup = setup,
	.threads = { { "cpu", cpu_write }, { "device", device_read_held } },
	.finish = finish,
};

const struct scenario two_devices = {
	.name = "two-devices",
	.what = "two mappers of what the CPU wrote: one has it cleaned, the other may find it so",
	.setup = setup_written,
	.threads = { { "device", device_reads_one }, { "another", device_reads_one } },
	.finish = finish,
};

const struct scenario bracket_move = {
	.name = "bracket-move",
	.what = "a device that writes and a CPU that reads beside a move",
	.setup = setup,
	.threads = { { "device", device_write }, { "cpu", cpu_read }, { "move", move } },
	.finish = finish,
};
