/* SPDX-License-Identifier: MIT */
/*
 * coherence.c - where the newest bytes of one buffer are, and who moves them
 *
 * A transition is planned range by range (from whom, to whom, what is whole afterwards), carried
 * out with as few calls as neighbouring ranges allow, and published in one store of `dir` by
 * coherence_unlock().
 *
 * Invariants beside those of coherence.h
 *   CO6  c_clean is set only by a clean or clean+invalidate with no writer of C counted; it is
 *        cleared before a writer of C may store, and after a gather from B has stored.  Where it
 *        holds, cleaning is skipped and a gather from M is a plain invalidate.
 *   CO7  A slot and its twin differ only in bytes the device wrote since they last agreed.  So
 *        delivering the bytes where C differs from the twin makes the slot equal to C, whatever it
 *        held before.
 *   CO8  Nothing is allocated under `lock`: reclaim may need it.
 *
 * Why "counted" is not "open" (CO3): a mapper counts itself in before it comes here.  Gathering
 * from one that has not begun finds nothing, but calling C whole afterwards, because an open writer
 * was gathered from, would be a lie where the newest bytes are in a third domain.  Where its own
 * domain is whole, taking it as open is harmless: it gives nothing, and is given the truth.
 *
 * Deliberately not here: what is the owner's but through mapping_slot_ops; order of accesses.
 */
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/cache.h>
#include <linux/container_of.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "coherence.h"
#include "event.h"
#include "mapping-slot.h"
#include "twin.h"

/* Brackets round out to what the hardware maintains as one: two that share a line conflict. */
#ifndef ARCH_DMA_MINALIGN
#define ARCH_DMA_MINALIGN SMP_CACHE_BYTES
#endif
#define LINE_BYTES max_t(size_t, SMP_CACHE_BYTES, ARCH_DMA_MINALIGN)

const atomic_t coherence_unshared =
	ATOMIC_INIT(COHERENCE_UNSHARED | COHERENCE_M_WHOLE | COHERENCE_M_ALONE);

/* An open access of the CPU. */
struct bracket {
	struct list_head node; /* in coherence.brackets */
	size_t start, end;
	unsigned int mode;
};

/* Domains with a slot counted in, by what it does. */
struct accesses {
	coherence_set reading, writing;
};

enum maintenance { NOTHING, CLEAN, INVALIDATE, CLEAN_INVALIDATE };

static struct mapping_slot *slot_of(struct coherence_member *member)
{
	return container_of(member, struct mapping_slot, member);
}

/* --- ranges ----------------------------------------------------------------------------------- */

static size_t range_end(const struct coherence *c, unsigned int i)
{
	return i + 1 < c->nr_ranges ? c->ranges[i + 1].start : c->size;
}

static unsigned int range_at(const struct coherence *c, size_t offset)
{
	unsigned int low = 0, high = c->nr_ranges;

	while (high - low > 1) {
		unsigned int middle = low + (high - low) / 2;

		if (c->ranges[middle].start <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The range that starts at @offset, made if need be; nr_ranges at the end of the buffer. */
static unsigned int cut(struct coherence *c, size_t offset)
{
	unsigned int i = range_at(c, offset);

	if (offset >= c->size)
		return c->nr_ranges;
	if (c->ranges[i].start == offset)
		return i;

	memmove(&c->ranges[i + 2], &c->ranges[i + 1],
		(c->nr_ranges - i - 1) * sizeof(c->ranges[0]));
	c->ranges[i + 1] = c->ranges[i];
	c->ranges[i + 1].start = offset;
	c->ranges[i + 1].pins = 0;
	c->nr_ranges++;
	return i + 1;
}

static void merge(struct coherence *c)
{
	unsigned int i, kept = 0;

	for (i = 1; i < c->nr_ranges; i++) {
		const struct coherence_range *r = &c->ranges[i], *last = &c->ranges[kept];

		if (!r->pins && r->whole == last->whole && r->c_clean == last->c_clean)
			continue;
		c->ranges[++kept] = *r;
	}
	c->nr_ranges = kept + 1;
}

static bool has_room(const struct coherence *c, size_t start, size_t end)
{
	return c->nr_ranges + (start > 0) + (end < c->size) <= c->capacity;
}

/* Take the lock with room for the boundaries of [@start, @end). */
static int lock_with_room(struct coherence *c, size_t start, size_t end)
{
	struct coherence_range *larger;
	unsigned int capacity;

	mutex_lock(&c->lock);
	while (!has_room(c, start, end)) {
		capacity = 2 * c->capacity;
		mutex_unlock(&c->lock);
		larger = kvmalloc_array(capacity, sizeof(*larger), GFP_KERNEL);
		if (!larger)
			return -ENOMEM;
		mutex_lock(&c->lock);
		if (capacity > c->capacity) {
			memcpy(larger, c->ranges, c->nr_ranges * sizeof(*larger));
			swap(larger, c->ranges);
			c->capacity = capacity;
		}
		if (larger != c->inline_ranges)
			kvfree(larger);
	}
	return 0;
}

/* --- who is open ------------------------------------------------------------------------------ */

/*
 * The barrier stands between our bits in `dir`, set by this or an earlier transition, and the
 * counts: a mapper of M counts in, then looks, so one of the two sees the other.
 */
static struct accesses scan(const struct coherence *c)
{
	struct accesses counted = { 0, 0 };
	struct coherence_member *member;

	smp_mb();
	list_for_each_entry(member, &c->members, node) {
		unsigned int mode = mapping_slot_open(slot_of(member));

		if (mode & COHERENCE_READ)
			counted.reading |= member->bit;
		if (mode & COHERENCE_WRITE)
			counted.writing |= member->bit;
	}
	return counted;
}

static coherence_set open_in(const struct coherence_range *r, const struct accesses *counted,
			     unsigned int modes)
{
	coherence_set open = 0;

	if (modes & COHERENCE_READ)
		open |= (counted->reading & r->whole) | (r->readers ? COHERENCE_SET_C : 0) |
			(r->uncached_readers ? COHERENCE_SET_M : 0);
	if (modes & COHERENCE_WRITE)
		open |= (counted->writing & r->whole) | (r->writers ? COHERENCE_SET_C : 0) |
			(r->uncached_writers ? COHERENCE_SET_M : 0);
	return open;
}

/* A writer of C that has counted in may store any moment, begun or not. */
static bool c_may_store(const struct coherence_range *r, const struct accesses *counted)
{
	return r->writers || counted->writing & COHERENCE_SET_C;
}

/* Somebody of C or B is about to begin, or C to be filled: users of M come here from now on. */
static void announce(struct coherence *c, unsigned int mode)
{
	atomic_fetch_or((mode & COHERENCE_READ ? COHERENCE_OTHER_READS : 0) |
				(mode & COHERENCE_WRITE ? COHERENCE_OTHER_WRITES : 0),
			&c->dir);
}

static void publish(struct coherence *c)
{
	unsigned int dir = COHERENCE_M_WHOLE | COHERENCE_M_ALONE;
	struct coherence_member *member;
	unsigned int i, mode = 0;

	for (i = 0; i < c->nr_ranges; i++) {
		const struct coherence_range *r = &c->ranges[i];

		if (!(r->whole & COHERENCE_SET_M))
			dir &= ~COHERENCE_M_WHOLE;
		if (r->whole != COHERENCE_SET_M)
			dir &= ~COHERENCE_M_ALONE;
		mode |= (r->readers ? COHERENCE_READ : 0) | (r->writers ? COHERENCE_WRITE : 0);
	}
	if (c->slots_of_others) {
		list_for_each_entry(member, &c->members, node) {
			if (member->bit != COHERENCE_SET_M)
				mode |= mapping_slot_open(slot_of(member));
		}
	}
	if (mode & COHERENCE_READ)
		dir |= COHERENCE_OTHER_READS;
	if (mode & COHERENCE_WRITE)
		dir |= COHERENCE_OTHER_WRITES;
	atomic_set_release(&c->dir, dir);
}

/* --- moving bytes ----------------------------------------------------------------------------- */

/* Its ops do not ask who snoops: of any domain, it serves a CPU that goes past its caches. */
static bool serves_any(const struct mapping_slot *slot)
{
	return slot->ops->syncs_any && !slot->member.device_memory;
}

/* A table that can: all of M can clean, but one the device only writes through, on fewer machines. */
static struct mapping_slot *able_slot(struct coherence *c, enum maintenance what)
{
	enum dma_data_direction unfit = what == CLEAN ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	struct mapping_slot *second = NULL, *any = NULL;
	struct coherence_member *member;

	list_for_each_entry(member, &c->members, node) {
		struct mapping_slot *slot = slot_of(member);

		if (serves_any(slot))
			any = slot;
		if (member->bit != COHERENCE_SET_M)
			continue;
		if (slot->table_dir != unfit)
			return slot;
		second = slot;
	}
	return what == CLEAN && second ? second : any;
}

/* A sync direction no wider than it must be; on a table that allows only one, that one. */
static enum dma_data_direction narrow(const struct mapping_slot *slot, enum dma_data_direction dir)
{
	return slot->table_dir == DMA_BIDIRECTIONAL ? dir : slot->table_dir;
}

static void maintain(struct coherence *c, enum maintenance what, size_t start, size_t end)
{
	struct mapping_slot *slot = able_slot(c, what);
	size_t len = end - start;

	if (WARN(!slot, "coherence: M has newest bytes or is open, and no table of it can %s\n",
		 what == CLEAN ? "clean" : "invalidate"))
		return;

	if (what == CLEAN_INVALIDATE && slot->ops->clean_invalidate) {
		slot->ops->clean_invalidate(slot, start, len);
	} else {
		if (what != INVALIDATE)
			slot->ops->sync_for_device(slot, start, len, narrow(slot, DMA_TO_DEVICE));
		if (what != CLEAN)
			slot->ops->sync_for_cpu(slot, start, len, narrow(slot, DMA_FROM_DEVICE));
	}
	event_tell(what == CLEAN ? EVENT_CLEAN : EVENT_INVALIDATE, slot, NULL, start, len, 0);
}

static enum maintenance gather_from_memory(const struct coherence_range *r)
{
	if (!(r->from & COHERENCE_SET_M))
		return NOTHING;
	return r->c_clean ? INVALIDATE : CLEAN_INVALIDATE;
}

static enum maintenance deliver_to_memory(const struct coherence_range *r)
{
	return r->to & COHERENCE_SET_M && !r->c_clean ? CLEAN : NOTHING;
}

/* One call for neighbouring ranges that need the same. */
static void maintain_ranges(struct coherence *c, unsigned int first, unsigned int last,
			    enum maintenance (*needed)(const struct coherence_range *r),
			    const struct accesses *counted)
{
	unsigned int i, next;

	for (i = first; i < last; i = next) {
		enum maintenance what = needed(&c->ranges[i]);

		for (next = i + 1; next < last && needed(&c->ranges[next]) == what;)
			next++;
		if (what == NOTHING)
			continue;
		maintain(c, what, c->ranges[i].start, range_end(c, next - 1));
		for (; i < next; i++)
			c->ranges[i].c_clean = !c_may_store(&c->ranges[i], counted);
	}
}

/* Between @slot and the buffer's memory as the CPU sees it; returns the bytes copied. */
static size_t bounce(struct mapping_slot *slot, bool to_slot, size_t start, size_t end)
{
	u8 *twin = slot->member.twin;
	size_t at, copied = 0;

	for (at = start; at < end;) {
		size_t in_slot = end - at, in_memory = end - at, len;
		u8 *bytes = slot->ops->bounce(slot, at, &in_slot);
		u8 *memory = slot->ops->memory(slot, at, &in_memory);

		len = min3(in_slot, in_memory, end - at);
		if (to_slot)
			copied += twin_copy_changed(memory, twin + at, bytes, len);
		else
			copied += twin_copy_changed(bytes, twin + at, memory, len);
		at += len;
	}
	event_tell(EVENT_BOUNCED, slot, NULL, end - start, copied, to_slot);
	return copied;
}

static void bounce_ranges(struct coherence *c, unsigned int first, unsigned int last, bool to_slot)
{
	struct coherence_member *member;
	unsigned int i;

	list_for_each_entry(member, &c->members, node) {
		for (i = first; member->twin && i < last; i++) {
			struct coherence_range *r = &c->ranges[i];

			if ((to_slot ? r->to : r->from) & member->bit &&
			    bounce(slot_of(member), to_slot, r->start, range_end(c, i)))
				r->c_clean &= to_slot;
		}
	}
}

/* Carry out what is planned for ranges @first up to @last. */
static void transition(struct coherence *c, unsigned int first, unsigned int last,
		       const struct accesses *counted)
{
	unsigned int i;

	maintain_ranges(c, first, last, gather_from_memory, counted);
	if (c->bounced) {
		bounce_ranges(c, first, last, false);
		bounce_ranges(c, first, last, true);
	}
	maintain_ranges(c, first, last, deliver_to_memory, counted);
	for (i = first; i < last; i++) {
		struct coherence_range *r = &c->ranges[i];

		if (r->whole != r->then)
			event_tell(EVENT_WHOLE, c, NULL, r->start, range_end(c, i) - r->start,
				   r->then);
		r->whole = r->then;
	}
}

/* --- begin, end, leave ------------------------------------------------------------------------ */

static void begin(struct coherence *c, unsigned int first, unsigned int last, coherence_set domain,
		  unsigned int mode)
{
	struct accesses counted;
	unsigned int i;

	if (domain != COHERENCE_SET_M)
		announce(c, mode);
	counted = scan(c);
	for (i = first; i < last; i++) {
		struct coherence_range *r = &c->ranges[i];

		r->from = open_in(r, &counted, COHERENCE_WRITE) & ~domain;
		if (!(r->whole & domain))
			r->from |= r->whole & -r->whole;
		r->to = r->from ? domain : 0;
		r->then = r->from ? r->whole | COHERENCE_SET_C | domain : r->whole;
	}
	transition(c, first, last, &counted);
}

static void end_write(struct coherence *c, unsigned int first, unsigned int last,
		      coherence_set domain)
{
	struct accesses counted = scan(c);
	unsigned int i;

	for (i = first; i < last; i++) {
		struct coherence_range *r = &c->ranges[i];
		coherence_set others =
			open_in(r, &counted, COHERENCE_READ | COHERENCE_WRITE) & ~domain;

		r->from = others ? domain : 0;
		r->to = others;
		r->then = others ? domain | others | COHERENCE_SET_C : domain;
	}
	transition(c, first, last, &counted);
}

static void leave(struct coherence *c, coherence_set domain)
{
	unsigned int i;

	/* C is whole then: a writer of M that ends beside the gather must come here. */
	announce(c, COHERENCE_READ);
	for (i = 0; i < c->nr_ranges; i++) {
		struct coherence_range *r = &c->ranges[i];

		r->from = r->to = 0;
		r->then = r->whole;
		if (r->whole & domain) {
			r->from = r->whole & COHERENCE_SET_C ? 0 : domain;
			r->then |= COHERENCE_SET_C;
		}
		/* Memory outlives the slots that look at it; a bounce slot does not. */
		if (domain != COHERENCE_SET_M)
			r->then &= ~domain;
	}
	/* Where C is not whole nobody of C has begun, and who begins says what it stores. */
	transition(c, 0, c->nr_ranges, &(struct accesses){ 0, 0 });
}

/* The CPU is not in C: what devices wrote there is cleaned while there is a table to do it with. */
static void leave_caches(struct coherence *c)
{
	struct accesses counted = scan(c);
	unsigned int i;

	for (i = 0; i < c->nr_ranges; i++) {
		struct coherence_range *r = &c->ranges[i];
		bool push = r->whole & COHERENCE_SET_C && !(r->whole & COHERENCE_SET_M);

		r->from = 0;
		r->to = push ? COHERENCE_SET_M : 0;
		r->then = r->whole | r->to;
	}
	transition(c, 0, c->nr_ranges, &counted);
}

static void c_written(struct coherence *c, unsigned int first, unsigned int last)
{
	for (; first < last; first++)
		c->ranges[first].c_clean = false;
}

void coherence_begin(struct coherence *c, struct mapping_slot *slot, unsigned int mode)
{
	coherence_set domain = slot->member.bit;

	lockdep_assert_held(&c->lock);
	if (WARN(list_empty(&slot->member.node),
		 "coherence: begin of a slot that has not joined\n"))
		return;

	begin(c, 0, c->nr_ranges, domain, mode);
	if (domain == COHERENCE_SET_C && mode & COHERENCE_WRITE)
		c_written(c, 0, c->nr_ranges);
}

void coherence_end(struct coherence *c, struct mapping_slot *slot, unsigned int mode)
{
	coherence_set domain = slot->member.bit;
	unsigned int i;

	lockdep_assert_held(&c->lock);
	if (WARN(list_empty(&slot->member.node), "coherence: end of a slot that has not joined\n"))
		return;
	if (!(mode & COHERENCE_WRITE))
		return;

	for (i = 0; i < c->nr_ranges; i++) {
		/* Else calling it whole alone would throw the newest bytes away. */
		if (WARN(!(c->ranges[i].whole & domain),
			 "coherence: end of an access that was not begun (CO3)\n")) {
			begin(c, 0, c->nr_ranges, domain, mode);
			break;
		}
	}
	end_write(c, 0, c->nr_ranges, domain);
}

/* --- the CPU ---------------------------------------------------------------------------------- */

/* Bytes, not lines: the last line of a buffer may be short. */
static void round_out(const struct coherence *c, size_t offset, size_t len, size_t *start,
		      size_t *end)
{
	if (WARN(offset > c->size || len > c->size - offset,
		 "coherence: bracket reaches past the end of the buffer\n")) {
		offset = min(offset, c->size);
		len = min(len, c->size - offset);
	}
	*start = len ? round_down(offset, LINE_BYTES) : offset;
	*end = len ? min(round_up(offset + len, LINE_BYTES), c->size) : offset;
}

static coherence_set cpu_domain(unsigned int mode)
{
	return mode & COHERENCE_UNCACHED ? COHERENCE_SET_M : COHERENCE_SET_C;
}

static bool cpu_writes_caches(unsigned int mode)
{
	return (mode & (COHERENCE_WRITE | COHERENCE_UNCACHED)) == COHERENCE_WRITE;
}

static void count_bracket(struct coherence_range *r, unsigned int mode, int one)
{
	bool uncached = mode & COHERENCE_UNCACHED;

	if (mode & COHERENCE_READ)
		*(uncached ? &r->uncached_readers : &r->readers) += one;
	if (mode & COHERENCE_WRITE)
		*(uncached ? &r->uncached_writers : &r->writers) += one;
}

int coherence_cpu_begin(struct coherence *c, size_t offset, size_t len, unsigned int mode)
{
	struct bracket *bracket;
	unsigned int i, first, last;
	size_t start, end;

	round_out(c, offset, len, &start, &end);
	bracket = kmalloc(sizeof(*bracket), GFP_KERNEL);
	if (!bracket)
		return -ENOMEM;
	if (lock_with_room(c, start, end)) {
		kfree(bracket);
		return -ENOMEM;
	}

	*bracket = (struct bracket){ .start = start, .end = end, .mode = mode };
	list_add_tail(&bracket->node, &c->brackets);
	if (start < end) {
		first = cut(c, start);
		last = cut(c, end);
		c->ranges[first].pins++;
		if (last < c->nr_ranges)
			c->ranges[last].pins++;
		begin(c, first, last, cpu_domain(mode), mode);
		for (i = first; i < last; i++)
			count_bracket(&c->ranges[i], mode, 1);
		if (cpu_writes_caches(mode))
			c_written(c, first, last);
	}
	coherence_unlock(c);
	return 0;
}

/* The same arguments, else the same range, else any that overlaps. */
static struct bracket *find_bracket(struct coherence *c, size_t start, size_t end,
				    unsigned int mode)
{
	struct bracket *b, *best = NULL;
	int score, best_score = 0;

	list_for_each_entry(b, &c->brackets, node) {
		if ((b->mode ^ mode) & (COHERENCE_KEPT | COHERENCE_UNCACHED))
			continue;
		if (b->start == start && b->end == end)
			score = b->mode == mode ? 3 : 2;
		else
			score = b->start < end && start < b->end;
		if (score > best_score) {
			best_score = score;
			best = b;
		}
	}
	return best;
}

/*
 * The CPU says it has written, and nobody knew: its lines may be dirty, also over a stale rest.
 * Pull what others have first, with a clean before, then end the write.  Without memory for the
 * boundaries whole ranges are treated so, which is as right and costs more.
 */
static void end_unbegun(struct coherence *c, size_t start, size_t end, unsigned int mode)
{
	unsigned int first, last;

	if (start >= end)
		return;
	if (has_room(c, start, end)) {
		first = cut(c, start);
		last = cut(c, end);
	} else {
		first = range_at(c, start);
		last = range_at(c, end - 1) + 1;
	}
	if (!(mode & COHERENCE_UNCACHED))
		c_written(c, first, last);
	begin(c, first, last, cpu_domain(mode), COHERENCE_READ | COHERENCE_WRITE);
	end_write(c, first, last, cpu_domain(mode));
}

static void end_bracket(struct coherence *c, struct bracket *bracket, unsigned int mode)
{
	unsigned int i, first, last;

	if (bracket->start >= bracket->end)
		return;
	first = cut(c, bracket->start);
	last = cut(c, bracket->end);
	c->ranges[first].pins--;
	if (last < c->nr_ranges)
		c->ranges[last].pins--;
	for (i = first; i < last; i++)
		count_bracket(&c->ranges[i], bracket->mode, -1);
	if (bracket->mode & COHERENCE_WRITE)
		end_write(c, first, last, cpu_domain(mode));
	else if (mode & COHERENCE_WRITE)
		end_unbegun(c, bracket->start, bracket->end, mode);
}

bool coherence_cpu_end(struct coherence *c, size_t offset, size_t len, unsigned int mode)
{
	struct bracket *bracket;
	size_t start, end;

	round_out(c, offset, len, &start, &end);
	coherence_lock(c);
	bracket = find_bracket(c, start, end, mode);
	if (!bracket || bracket->start != start || bracket->end != end)
		end_unbegun(c, start, end, mode);
	if (bracket) {
		list_del(&bracket->node);
		end_bracket(c, bracket, mode);
	}
	coherence_unlock(c);
	if (!bracket)
		return false;
	kfree(bracket);
	return true;
}

void coherence_cpu_flush(struct coherence *c)
{
	struct accesses counted;
	unsigned int i;

	coherence_lock(c);
	counted = scan(c);
	/*
	 * Without a slot of M no exporter knows of lines it could invalidate.  And c_clean must not
	 * be set while slots of C write past the directory.
	 */
	if (c->slots_of_memory) {
		for (i = 0; i < c->nr_ranges; i++)
			c->ranges[i].to = COHERENCE_SET_M;
		maintain_ranges(c, 0, c->nr_ranges, deliver_to_memory, &counted);
	}
	if (c->bounced) /* what is called next may copy out of them, by stores */
		c_written(c, 0, c->nr_ranges);
	coherence_unlock(c);
}

void coherence_settle_idle(struct coherence *c, bool into_slots)
{
	struct coherence_member *member;
	struct accesses counted;
	unsigned int i;

	coherence_lock(c);
	for (i = 0; c->bounced && i < c->nr_ranges; i++) {
		if (into_slots || c->ranges[i].whole == COHERENCE_SET_M)
			begin(c, i, i + 1, COHERENCE_SET_C, COHERENCE_READ);
	}
	counted = scan(c);
	list_for_each_entry(member, &c->members, node) {
		for (i = 0; member->twin && i < c->nr_ranges; i++) {
			if (open_in(&c->ranges[i], &counted, COHERENCE_WRITE) & member->bit)
				continue;
			bounce(slot_of(member), true, c->ranges[i].start, range_end(c, i));
		}
	}
	coherence_unlock(c);
}

/* --- joining and leaving ---------------------------------------------------------------------- */

/* Slots of C from before there was a directory.  Scans find by its count who looked past it. */
static void share(struct coherence *c)
{
	struct coherence_member *member;

	c->shared = true;
	list_for_each_entry(member, &c->members, node)
		WRITE_ONCE(slot_of(member)->dir, &c->dir);
	smp_mb();
}

int coherence_join(struct coherence *c, struct mapping_slot *slot)
{
	struct coherence_member *member = &slot->member;
	coherence_set unused;
	u8 *twin = NULL;

	if (WARN(!list_empty(&member->node), "coherence: slot joins twice\n"))
		return 0;
	if (member->domain == COHERENCE_BOUNCE) {
		twin = twin_new(slot, c->size);
		if (!twin)
			return -ENOMEM;
	}

	coherence_lock(c);
	switch (member->domain) {
	case COHERENCE_CACHES:
		member->bit = COHERENCE_SET_C;
		break;
	case COHERENCE_MEMORY:
		member->bit = COHERENCE_SET_M;
		break;
	case COHERENCE_BOUNCE:
		unused = ~(c->bounced | COHERENCE_SET_C | COHERENCE_SET_M);
		if (!unused)
			goto no_domain;
		member->bit = unused & -unused;
		c->bounced |= member->bit;
		break;
	}
	member->twin = twin;
	if (!c->shared && member->domain != COHERENCE_CACHES)
		share(c);
	WRITE_ONCE(slot->dir, c->shared ? &c->dir : &coherence_unshared);
	list_add_tail(&member->node, &c->members);
	c->slots_of_memory += member->bit == COHERENCE_SET_M;
	c->slots_of_others += member->bit != COHERENCE_SET_M;
	coherence_unlock(c);
	return 0;

no_domain:
	coherence_unlock(c);
	kvfree(twin);
	return -ENOSPC;
}

void coherence_leave(struct coherence *c, struct mapping_slot *slot)
{
	struct coherence_member *member = &slot->member;

	if (list_empty(&member->node))
		return;

	coherence_lock(c);
	if (member->bit != COHERENCE_SET_C && !(c->uncached && member->bit == COHERENCE_SET_M))
		leave(c, member->bit);
	if (c->uncached && serves_any(slot))
		leave_caches(c);
	list_del_init(&member->node);
	c->slots_of_memory -= member->bit == COHERENCE_SET_M;
	c->slots_of_others -= member->bit != COHERENCE_SET_M;
	c->bounced &= ~member->bit;
	coherence_unlock(c);
	kvfree(member->twin);
	member->twin = NULL;
}

/* --- the rest --------------------------------------------------------------------------------- */

void coherence_init(struct coherence *c, size_t size)
{
	*c = (struct coherence){
		.size = size,
		.ranges = c->inline_ranges,
		.nr_ranges = 1,
		.capacity = COHERENCE_INLINE_RANGES,
		.inline_ranges = { { .whole = COHERENCE_SET_C } },
	};
	mutex_init(&c->lock);
	INIT_LIST_HEAD(&c->members);
	INIT_LIST_HEAD(&c->brackets);
}

void coherence_init_uncached(struct coherence *c, size_t size)
{
	coherence_init(c, size);
	atomic_set(&c->dir, COHERENCE_M_WHOLE | COHERENCE_M_ALONE);
	c->shared = true;
	c->uncached = true;
	c->inline_ranges[0] = (struct coherence_range){ .whole = COHERENCE_SET_M, .c_clean = true };
}

void coherence_fini(struct coherence *c)
{
	struct coherence_member *member, *next_member;
	struct bracket *bracket, *next_bracket;

	WARN(!list_empty(&c->members),
	     "coherence: buffer released with slots that have not left\n");
	list_for_each_entry_safe(member, next_member, &c->members, node) {
		list_del_init(&member->node);
		kvfree(member->twin);
		member->twin = NULL;
	}
	WARN(!list_empty(&c->brackets), "coherence: buffer released with open CPU access\n");
	list_for_each_entry_safe(bracket, next_bracket, &c->brackets, node)
		kfree(bracket);
	if (c->ranges != c->inline_ranges)
		kvfree(c->ranges);
	mutex_destroy(&c->lock);
}

void coherence_lock(struct coherence *c)
{
	mutex_lock(&c->lock);
}

void coherence_unlock(struct coherence *c)
{
	merge(c);
	publish(c);
	mutex_unlock(&c->lock);
}

coherence_set coherence_whole_at(struct coherence *c, size_t offset)
{
	lockdep_assert_held(&c->lock);
	return c->ranges[range_at(c, offset)].whole;
}

coherence_set coherence_open_at(struct coherence *c, size_t offset, unsigned int modes)
{
	struct accesses counted;

	lockdep_assert_held(&c->lock);
	counted = scan(c);
	return open_in(&c->ranges[range_at(c, offset)], &counted, modes);
}
