/* SPDX-License-Identifier: MIT */
/*
 * test-cache.c - hardware for the directory's tests
 */
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/test-cache.h"

static size_t line_start(size_t line)
{
	return line * TEST_LINE;
}

static size_t line_len(const struct test_hardware *hw, size_t line)
{
	return min_t(size_t, TEST_LINE, hw->size - line_start(line));
}

static u8 *fetch(struct test_hardware *hw, size_t line)
{
	u8 *bytes = hw->cached + line_start(line);

	if (hw->line[line] == '-') {
		memcpy(bytes, hw->memory + line_start(line), line_len(hw, line));
		hw->line[line] = 'c';
	}
	return bytes;
}

/* Stores through the address that memory() gave out are noticed at the next operation. */
static void settle(struct test_hardware *hw)
{
	if (hw->lent != SIZE_MAX &&
	    memcmp(hw->before, hw->cached + line_start(hw->lent), line_len(hw, hw->lent)))
		hw->line[hw->lent] = 'd';
	hw->lent = SIZE_MAX;
}

static void write_back(struct test_hardware *hw, size_t line)
{
	if (hw->line[line] != 'd')
		return;
	memcpy(hw->memory + line_start(line), hw->cached + line_start(line), line_len(hw, line));
	hw->line[line] = 'c';
}

static void maintain(struct mapping_slot *slot, char what, size_t offset, size_t len,
		     enum dma_data_direction dir)
{
	struct test_hardware *hw = container_of(slot, struct test_device, slot)->hw;
	size_t line;

	if (hw->meanwhile)
		hw->meanwhile(hw);
	spin_lock(&hw->lock);
	settle(hw);
	for (line = offset / TEST_LINE; line * TEST_LINE < offset + len; line++) {
		if (what == 'x' && hw->defect == TEST_INVALIDATES_BEFORE_CLEAN)
			hw->line[line] = '-';
		if (what != 'i' && hw->defect != TEST_NEVER_CLEANS &&
		    !(what == 'x' && hw->defect == TEST_DROPS_DIRTY_LINES))
			write_back(hw, line);
		if (what != 'c' && hw->defect != TEST_NEVER_INVALIDATES)
			hw->line[line] = '-';
	}
	*(what == 'c' ? &hw->cleaned : &hw->invalidated) += len;
	if (hw->nr_operations < TEST_LOG)
		hw->operation[hw->nr_operations] =
			(struct test_operation){ what, offset, len, dir };
	hw->nr_operations++;
	spin_unlock(&hw->lock);
}

static void sync_for_device(struct mapping_slot *slot, size_t offset, size_t len,
			    enum dma_data_direction dir)
{
	maintain(slot, 'c', offset, len, dir);
}

static void sync_for_cpu(struct mapping_slot *slot, size_t offset, size_t len,
			 enum dma_data_direction dir)
{
	maintain(slot, 'i', offset, len, dir);
}

static void clean_invalidate(struct mapping_slot *slot, size_t offset, size_t len)
{
	maintain(slot, 'x', offset, len, DMA_BIDIRECTIONAL);
}

static void *bounce(struct mapping_slot *slot, size_t offset, size_t *len)
{
	struct test_device *dev = container_of(slot, struct test_device, slot);

	if (dev->hw->defect == TEST_WRONG_SLOT_BYTE) {
		*len = 1;
		return dev->bounced + (offset ^ 1);
	}
	return dev->bounced + offset;
}

static void *memory(struct mapping_slot *slot, size_t offset, size_t *len)
{
	struct test_hardware *hw = container_of(slot, struct test_device, slot)->hw;
	size_t line = offset / TEST_LINE;

	spin_lock(&hw->lock);
	settle(hw);
	memcpy(hw->before, fetch(hw, line), line_len(hw, line));
	hw->lent = line;
	*len = min_t(size_t, *len, line_start(line) + line_len(hw, line) - offset);
	spin_unlock(&hw->lock);
	return hw->cached + offset;
}

const struct mapping_slot_ops test_slot_ops = {
	.sync_for_device = sync_for_device,
	.sync_for_cpu = sync_for_cpu,
	.clean_invalidate = clean_invalidate,
	.bounce = bounce,
	.memory = memory,
};

const struct mapping_slot_ops test_slot_ops_linux = {
	.sync_for_device = sync_for_device,
	.sync_for_cpu = sync_for_cpu,
	.bounce = bounce,
	.memory = memory,
};

void test_hardware_init(struct test_hardware *hw, size_t size)
{
	size_t lines = DIV_ROUND_UP(size, TEST_LINE);

	memset(hw, 0, sizeof(*hw));
	spin_lock_init(&hw->lock);
	hw->size = size;
	hw->memory = kvzalloc(size, GFP_KERNEL);
	hw->cached = kvzalloc(size, GFP_KERNEL);
	hw->line = kvmalloc(lines, GFP_KERNEL);
	hw->lent = SIZE_MAX;
	/* The exporter cleared the buffer with the CPU. */
	memset(hw->memory, 0xa5, size);
	memset(hw->line, 'd', lines);
}

void test_hardware_fini(struct test_hardware *hw)
{
	kvfree(hw->memory);
	kvfree(hw->cached);
	kvfree(hw->line);
}

void test_hardware_forget(struct test_hardware *hw)
{
	hw->cleaned = hw->invalidated = hw->nr_operations = 0;
}

void test_device_init(struct test_device *dev, struct test_hardware *hw, struct coherence *c,
		      enum coherence_domain domain, const struct mapping_slot_ops *ops)
{
	memset(dev, 0, sizeof(*dev));
	dev->hw = hw;
	mapping_slot_init(&dev->slot, ops, NULL, c, domain, false, dev);
	if (domain == COHERENCE_BOUNCE) {
		dev->bounced = kvmalloc(hw->size, GFP_KERNEL);
		memset(dev->bounced, 0x77, hw->size);
	}
}

void test_device_fini(struct test_device *dev)
{
	mapping_slot_fini(&dev->slot);
	kvfree(dev->bounced);
}

int test_device_join(struct test_device *dev, enum dma_data_direction dir)
{
	int err;

	dev->slot.table_dir = dir;
	err = coherence_join(dev->slot.coherence, &dev->slot);
	if (!err)
		atomic_or(slot_permission(dir), &dev->slot.word);
	return err;
}

void test_device_leave(struct test_device *dev)
{
	atomic_andnot(SLOT_READ | SLOT_WRITE, &dev->slot.word);
	coherence_leave(dev->slot.coherence, &dev->slot);
}

void test_device_begin(struct test_device *dev, unsigned int mode)
{
	struct mapping_slot *slot = &dev->slot;

	atomic_fetch_add(mode & COHERENCE_WRITE ? SLOT_WRITER : SLOT_READER, &slot->word);
	if ((slot_look(slot) & slot->begin_mask) == slot->begin_want)
		return;
	coherence_lock(slot->coherence);
	coherence_begin(slot->coherence, slot, mode);
	coherence_unlock(slot->coherence);
}

void test_device_end(struct test_device *dev, unsigned int mode)
{
	struct mapping_slot *slot = &dev->slot;
	bool writes = mode & COHERENCE_WRITE;
	u32 one = writes ? SLOT_WRITER : SLOT_READER;

	if ((slot_look(slot) & slot->end_mask[writes]) == slot->end_want[writes]) {
		mapping_slot_count_out(slot, one);
		return;
	}
	coherence_lock(slot->coherence);
	coherence_end(slot->coherence, slot, mode);
	mapping_slot_count_out(slot, one);
	coherence_unlock(slot->coherence);
}

u8 test_load(struct test_hardware *hw, struct test_device *dev, size_t offset)
{
	enum coherence_domain domain = dev ? dev->slot.member.domain : COHERENCE_CACHES;
	u8 value;

	spin_lock(&hw->lock);
	settle(hw);
	if (domain == COHERENCE_CACHES)
		value = fetch(hw, offset / TEST_LINE)[offset % TEST_LINE];
	else
		value = domain == COHERENCE_MEMORY ? hw->memory[offset] : dev->bounced[offset];
	spin_unlock(&hw->lock);
	return value;
}

void test_store(struct test_hardware *hw, struct test_device *dev, size_t offset, u8 value)
{
	enum coherence_domain domain = dev ? dev->slot.member.domain : COHERENCE_CACHES;

	spin_lock(&hw->lock);
	settle(hw);
	if (domain == COHERENCE_CACHES) {
		fetch(hw, offset / TEST_LINE)[offset % TEST_LINE] = value;
		hw->line[offset / TEST_LINE] = 'd';
	} else if (domain == COHERENCE_MEMORY) {
		hw->memory[offset] = value;
	} else {
		dev->bounced[offset] = value;
	}
	spin_unlock(&hw->lock);
}

void test_adversary(struct test_hardware *hw, size_t line, unsigned int choice)
{
	spin_lock(&hw->lock);
	settle(hw);
	if (choice % 3 == 0)
		fetch(hw, line);
	else
		write_back(hw, line);
	if (choice % 3 == 2)
		hw->line[line] = '-';
	spin_unlock(&hw->lock);
}
