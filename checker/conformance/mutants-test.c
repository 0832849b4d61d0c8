/* SPDX-License-Identifier: MIT */
/*
 * mutants-test.c - can the cases fail? Each mutant is a core that breaks one rule, and every group
 * of cases that it concerns must notice
 *
 * The mutants stand between the cases and the real core (mutants.h).  None waits without end.
 * What a mutant loses stays lost, so the program leaves without looking for leaks.
 */
#define CONFORMANCE_MUTANTS
#include "mutants.h"

#include <linux/printk.h>
#include <stdio.h>
#include <unistd.h>

#include "run.h"

enum mutant {
	NONE,
	ATTACH_TWICE,
	ATTACH_CHANGES_ERRNO,
	ATTACH_IS_DYNAMIC,
	DETACH_NOTHING,
	MAP_BOTH_WAYS,
	MAP_TWICE,
	MAP_CHANGES_ERRNO,
	MAP_WAITS_FOR_ALL,
	UNMAP_NOTHING,
	UNMAP_ANOTHER_DIRECTION,
	PIN_NOTHING,
	PIN_TWICE,
	PIN_HIDES_ERRNO,
	UNPIN_NOTHING,
	MOVE_NOTHING,
	MOVE_TWICE,
	BEGIN_NOTHING,
	BEGIN_WAITS_FIRST,
	BEGIN_ANOTHER_DIRECTION,
	BEGIN_HOLDS_LOCK,
	BEGIN_HIDES_ERRNO,
	END_NOTHING,
	END_TWICE,
	VMAP_EACH_TIME,
	VMAP_WITHOUT_LOCK,
	VMAP_HIDES_ERRNO,
	VUNMAP_NOTHING,
	FD_KEEPS_REFERENCE,
	FD_CHANGES_ERRNO,
	GET_WITHOUT_REFERENCE,
	GET_CHANGES_ERRNO,
	PUT_NOTHING,
	EXPORT_CHANGES_ERRNO,
	EXPORT_IS_ANOTHER_KIND,
	FENCE_RANKS_LOWER,
	FENCE_RANKS_HIGHER,
	SYNC_SWAPS,
	IOCTL_CHANGES_ERRNO,
	IOCTL_DOES_NOTHING,
	POLL_ALWAYS,
	POLL_NEVER,
	LSEEK_ANYTHING,
	MMAP_FROM_THE_START,
	MMAP_CHANGES_ERRNO,
	SIZE_OF_A_PAGE,
	FDINFO_EVERYTHING,
	ATTACH_FAILS,
	MAP_FAILS,
	FD_FAILS,
	MMAP_FAILS,
	VMAP_FAILS,
	MUTANTS,
};

/* Which groups run and must notice; for none, all run. */
static const struct {
	const char *name, *groups;
} mutants[MUTANTS] = {
	[NONE] = { "the real core", "" },
	[ATTACH_TWICE] = { "attach asks twice", "attach map move bytes" },
	[ATTACH_CHANGES_ERRNO] = { "attach changes the exporter's errno", "attach" },
	[ATTACH_IS_DYNAMIC] = { "a static importer becomes a dynamic one", "attach move" },
	[DETACH_NOTHING] = { "detach does nothing", "attach map move" },
	[MAP_BOTH_WAYS] = { "map gives more than was asked for", "attach map" },
	[MAP_TWICE] = { "map maps twice", "map fence bytes" },
	[MAP_CHANGES_ERRNO] = { "map changes the exporter's errno", "attach map" },
	[MAP_WAITS_FOR_ALL] = { "map waits for every fence", "fence" },
	[UNMAP_NOTHING] = { "unmap does nothing", "buffer map move bytes" },
	[UNMAP_ANOTHER_DIRECTION] = { "unmap has another direction", "map bytes" },
	[PIN_NOTHING] = { "pin does nothing", "move" },
	[PIN_TWICE] = { "pin pins twice", "move" },
	[PIN_HIDES_ERRNO] = { "pin says it did what the exporter refused", "move" },
	[UNPIN_NOTHING] = { "unpin does nothing", "move" },
	[MOVE_NOTHING] = { "nobody hears of a move", "move" },
	[MOVE_TWICE] = { "everybody hears of a move twice", "move" },
	[BEGIN_NOTHING] = { "begin_cpu_access does nothing", "cpu fence bytes" },
	[BEGIN_WAITS_FIRST] = { "begin_cpu_access waits before it asks", "cpu fence" },
	[BEGIN_ANOTHER_DIRECTION] = { "begin_cpu_access asks for both directions", "cpu fence" },
	[BEGIN_HOLDS_LOCK] = { "begin_cpu_access asks with the reservation held", "cpu" },
	[BEGIN_HIDES_ERRNO] = { "begin_cpu_access says 0 when the exporter refuses", "cpu" },
	[END_NOTHING] = { "end_cpu_access does nothing", "cpu fence bytes" },
	[END_TWICE] = { "end_cpu_access asks twice", "cpu fence" },
	[VMAP_EACH_TIME] = { "vmap asks for every user", "cpu" },
	[VMAP_WITHOUT_LOCK] = { "vmap asks without the reservation", "cpu" },
	[VMAP_HIDES_ERRNO] = { "vmap says 0 when the exporter refuses", "cpu" },
	[VUNMAP_NOTHING] = { "vunmap does nothing", "buffer cpu bytes" },
	[FD_KEEPS_REFERENCE] = { "a descriptor is one reference more", "buffer fence file" },
	[FD_CHANGES_ERRNO] = { "a descriptor's error is -EPERM", "buffer" },
	[GET_WITHOUT_REFERENCE] = { "get takes no reference", "buffer" },
	[GET_CHANGES_ERRNO] = { "get says -ENOENT", "buffer" },
	[PUT_NOTHING] = { "put does nothing", "buffer attach map move fence cpu bytes" },
	[EXPORT_CHANGES_ERRNO] = { "export says -ENOMEM", "buffer" },
	[EXPORT_IS_ANOTHER_KIND] = { "a static exporter becomes dynamic", "buffer map move" },
	[FENCE_RANKS_LOWER] = { "fences count as of the next usage", "fence" },
	[FENCE_RANKS_HIGHER] = { "fences count as of the usage before", "fence file" },
	[SYNC_SWAPS] = { "READ is taken for WRITE", "fence file" },
	[IOCTL_CHANGES_ERRNO] = { "ioctl says -EPERM", "fence file" },
	[IOCTL_DOES_NOTHING] = { "ioctl does nothing and says 0", "fence file" },
	[POLL_ALWAYS] = { "poll is always ready", "buffer fence file" },
	[POLL_NEVER] = { "poll is never ready", "buffer fence file" },
	[LSEEK_ANYTHING] = { "lseek goes where it is sent", "file" },
	[MMAP_FROM_THE_START] = { "mmap forgets the offset", "cpu" },
	[MMAP_CHANGES_ERRNO] = { "mmap says -EPERM", "cpu" },
	[SIZE_OF_A_PAGE] = { "a buffer tells the size of a page", "file" },
	[FDINFO_EVERYTHING] = { "fdinfo has every line", "file" },
	[ATTACH_FAILS] = { "no attach succeeds", "buffer attach map move fence cpu file bytes" },
	[MAP_FAILS] = { "no map succeeds", "buffer attach map move fence bytes" },
	[FD_FAILS] = { "there are no descriptors", "buffer fence cpu file bytes" },
	[MMAP_FAILS] = { "no mmap succeeds", "buffer cpu bytes" },
	[VMAP_FAILS] = { "no vmap succeeds", "buffer cpu bytes" },
};

static enum mutant chosen;

/* An error other than the right one; what is none stays. */
static void *another_errno(void *result, enum mutant when)
{
	return chosen == when && IS_ERR(result) ? ERR_PTR(-EPERM) : result;
}

/* --- attachments ------------------------------------------------------------------------------ */

struct dma_buf_attachment *mutant_attach(struct dma_buf *dmabuf, struct device *dev)
{
	if (chosen == ATTACH_FAILS)
		return ERR_PTR(-EPERM);
	if (chosen == ATTACH_TWICE && dmabuf && dev)
		dma_buf_attach(dmabuf, dev);
	if (chosen == ATTACH_IS_DYNAMIC)
		return dma_buf_dynamic_attach(dmabuf, dev, &world_importer, NULL);
	return another_errno(dma_buf_attach(dmabuf, dev), ATTACH_CHANGES_ERRNO);
}

struct dma_buf_attachment *mutant_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
						 const struct dma_buf_attach_ops *ops, void *priv)
{
	if (chosen == ATTACH_FAILS)
		return ERR_PTR(-EPERM);
	return another_errno(dma_buf_dynamic_attach(dmabuf, dev, ops, priv), ATTACH_CHANGES_ERRNO);
}

struct dma_buf_attachment *mutant_world_attach(struct world *w, struct dma_buf *dmabuf,
					       bool dynamic)
{
	W_CHECK(w, chosen != ATTACH_FAILS);
	if (chosen == ATTACH_TWICE)
		dma_buf_attach(dmabuf, w->dev);
	return world_attach(w, dmabuf, dynamic || chosen == ATTACH_IS_DYNAMIC);
}

void mutant_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	if (chosen != DETACH_NOTHING)
		dma_buf_detach(dmabuf, attach);
}

struct sg_table *mutant_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	if (chosen == MAP_FAILS)
		return ERR_PTR(-EPERM);
	if (attach && chosen == MAP_WAITS_FOR_ALL)
		dma_resv_wait_timeout(attach->dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, true, 1);
	if (attach && chosen == MAP_TWICE && dir != DMA_NONE)
		dma_buf_map_attachment_unlocked(attach, dir);
	if (chosen == MAP_BOTH_WAYS)
		dir = DMA_BIDIRECTIONAL;
	return another_errno(dma_buf_map_attachment_unlocked(attach, dir), MAP_CHANGES_ERRNO);
}

struct dma_buf_attachment *mutant_world_attach_device(struct world *w, struct dma_buf *dmabuf,
						      struct device *dev)
{
	struct dma_buf_attachment *attach = mutant_attach(dmabuf, dev);

	W_CHECK(w, !IS_ERR(attach));
	return attach;
}

struct sg_table *mutant_world_map(struct world *w, struct dma_buf_attachment *attach,
				  enum dma_data_direction dir)
{
	struct sg_table *sgt = mutant_map(attach, dir);

	W_CHECK(w, !IS_ERR(sgt));
	return sgt;
}

struct sg_table *mutant_map_held(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	if (chosen == MAP_FAILS)
		return ERR_PTR(-EPERM);
	return another_errno(dma_buf_map_attachment(attach, dir), MAP_CHANGES_ERRNO);
}

void mutant_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
	if (chosen == UNMAP_NOTHING)
		return;
	if (chosen == UNMAP_ANOTHER_DIRECTION)
		dir = dir == DMA_FROM_DEVICE ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	if (chosen == MAP_BOTH_WAYS)
		dir = DMA_BIDIRECTIONAL;
	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
}

int mutant_pin(struct dma_buf_attachment *attach)
{
	int ret;

	if (chosen == PIN_NOTHING)
		return 0;
	if (chosen == PIN_TWICE)
		dma_buf_pin(attach);
	ret = dma_buf_pin(attach);
	return chosen == PIN_HIDES_ERRNO ? 0 : ret;
}

void mutant_unpin(struct dma_buf_attachment *attach)
{
	if (chosen != UNPIN_NOTHING && chosen != PIN_NOTHING)
		dma_buf_unpin(attach);
}

void mutant_move(struct dma_buf *dmabuf)
{
	if (chosen == MOVE_NOTHING)
		return;
	dma_buf_move_notify(dmabuf);
	if (chosen == MOVE_TWICE)
		dma_buf_move_notify(dmabuf);
}

/* --- the CPU ---------------------------------------------------------------------------------- */

static int begin_held(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = dmabuf->ops->begin_cpu_access(dmabuf, dir);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

int mutant_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	int ret;

	if (chosen == BEGIN_NOTHING)
		return 0;
	if (dmabuf && chosen == BEGIN_WAITS_FIRST)
		dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_READ, true, 1);
	if (chosen == BEGIN_ANOTHER_DIRECTION)
		dir = DMA_BIDIRECTIONAL;
	if (dmabuf && dmabuf->ops->begin_cpu_access && chosen == BEGIN_HOLDS_LOCK)
		return begin_held(dmabuf, dir);
	ret = dma_buf_begin_cpu_access(dmabuf, dir);
	return chosen == BEGIN_HIDES_ERRNO ? 0 : ret;
}

int mutant_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	if (chosen == END_NOTHING)
		return 0;
	if (chosen == END_TWICE)
		dma_buf_end_cpu_access(dmabuf, dir);
	return dma_buf_end_cpu_access(dmabuf, dir);
}

int mutant_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	int ret;

	if (chosen == VMAP_FAILS)
		return -EPERM;
	if (dmabuf && dmabuf->ops->vmap && chosen == VMAP_EACH_TIME) {
		dma_resv_lock(dmabuf->resv, NULL);
		dmabuf->ops->vmap(dmabuf, map);
		dma_resv_unlock(dmabuf->resv);
	}
	if (dmabuf && dmabuf->ops->vmap && chosen == VMAP_WITHOUT_LOCK)
		dmabuf->ops->vmap(dmabuf, map);
	ret = dma_buf_vmap_unlocked(dmabuf, map);
	return chosen == VMAP_HIDES_ERRNO ? 0 : ret;
}

void mutant_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	if (chosen != VUNMAP_NOTHING)
		dma_buf_vunmap_unlocked(dmabuf, map);
}

/* --- buffers and references ------------------------------------------------------------------- */

int mutant_fd(struct dma_buf *dmabuf, int flags)
{
	int fd;

	if (chosen == FD_FAILS)
		return -EMFILE;
	if (dmabuf && chosen == FD_KEEPS_REFERENCE)
		get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, flags);
	return chosen == FD_CHANGES_ERRNO && fd < 0 ? -EPERM : fd;
}

struct dma_buf *mutant_get(int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);

	if (chosen == GET_WITHOUT_REFERENCE && !IS_ERR(dmabuf) && file_count(dmabuf->file) > 1)
		dma_buf_put(dmabuf);
	return another_errno(dmabuf, GET_CHANGES_ERRNO);
}

void mutant_put(struct dma_buf *dmabuf)
{
	/* What would be a put too many after GET_WITHOUT_REFERENCE is none. */
	if (chosen != PUT_NOTHING && chosen != GET_WITHOUT_REFERENCE)
		dma_buf_put(dmabuf);
}

struct dma_buf *mutant_export(const struct dma_buf_export_info *info)
{
	return another_errno(dma_buf_export(info), EXPORT_CHANGES_ERRNO);
}

struct dma_buf *mutant_world_export(struct world *w, enum world_kind kind)
{
	if (chosen == EXPORT_IS_ANOTHER_KIND)
		kind |= DYNAMIC_EXPORTER;
	return world_export(w, kind);
}

void mutant_add_fence(struct world *w, struct dma_resv *resv, struct dma_fence *fence,
		      enum dma_resv_usage usage)
{
	if (chosen == FENCE_RANKS_LOWER && usage < DMA_RESV_USAGE_BOOKKEEP)
		usage++;
	if (chosen == FENCE_RANKS_HIGHER && usage > DMA_RESV_USAGE_KERNEL)
		usage--;
	world_add_fence(w, resv, fence, usage);
}

/* --- a program's door ------------------------------------------------------------------------- */

long mutant_ioctl(int fd, unsigned int cmd, void *arg)
{
	struct dma_buf_sync *sync = arg;
	long ret;

	/* Descriptors that an ioctl hands out must be there. */
	if (chosen == IOCTL_DOES_NOTHING && cmd != DMA_BUF_IOCTL_EXPORT_SYNC_FILE)
		return 0;
	if (chosen == SYNC_SWAPS && cmd == DMA_BUF_IOCTL_SYNC && arg)
		sync->flags = (sync->flags & ~(u64)DMA_BUF_SYNC_RW) |
			      (sync->flags & DMA_BUF_SYNC_READ ? DMA_BUF_SYNC_WRITE : 0) |
			      (sync->flags & DMA_BUF_SYNC_WRITE ? DMA_BUF_SYNC_READ : 0);
	ret = world_ioctl(fd, cmd, arg);
	return chosen == IOCTL_CHANGES_ERRNO && ret < 0 ? -EPERM : ret;
}

int mutant_poll(int fd, __poll_t events)
{
	int ready = world_poll(fd, events);

	return chosen == POLL_ALWAYS ? (int)events : chosen == POLL_NEVER ? 0 : ready;
}

loff_t mutant_lseek(int fd, loff_t offset, int whence)
{
	return chosen == LSEEK_ANYTHING ? offset : world_lseek(fd, offset, whence);
}

void *mutant_mmap(int fd, size_t length, bool write, unsigned long offset)
{
	if (chosen == MMAP_FAILS)
		return ERR_PTR(-EPERM);
	if (chosen == MMAP_FROM_THE_START)
		offset = 0;
	return another_errno(world_mmap(fd, length, write, offset), MMAP_CHANGES_ERRNO);
}

int mutant_vma(struct dma_buf *dmabuf, unsigned long pgoff, unsigned long pages)
{
	int ret = world_vma(dmabuf, chosen == MMAP_FROM_THE_START ? 0 : pgoff, pages);

	return ret && chosen == MMAP_CHANGES_ERRNO ? -EPERM : ret;
}

loff_t mutant_size(int fd)
{
	return chosen == SIZE_OF_A_PAGE ? (loff_t)PAGE_SIZE : world_size(fd);
}

bool mutant_fdinfo(int fd, const char *line)
{
	return chosen == FDINFO_EVERYTHING || world_fdinfo(fd, line);
}

/* --- running them ----------------------------------------------------------------------------- */

#define GROUPS 8

struct noticed {
	unsigned int cases, by_group[GROUPS];
	const char *first;
};

/* Which cases have failed for any mutant. */
static bool can_fail[GROUPS][128];

static void told(const struct conformance_result *result, void *context)
{
	struct noticed *noticed = context;

	if (result->verdict != CONFORMANCE_FAILED)
		return;
	if (!noticed->cases++)
		noticed->first = result->running->name;
	for (unsigned int g = 0; g < GROUPS; g++) {
		const struct world_group *group = conformance_groups[g];
		size_t i = result->running - group->cases;

		if (result->running < group->cases || i >= group->nr)
			continue;
		noticed->by_group[g]++;
		can_fail[g][i] = true;
	}
}

static const char *missed_by(enum mutant mutant, const struct noticed *noticed)
{
	for (unsigned int g = 0; g < GROUPS; g++)
		if (strstr(mutants[mutant].groups, conformance_groups[g]->name) &&
		    !noticed->by_group[g])
			return conformance_groups[g]->name;
	return mutant == NONE && noticed->cases ? "nothing to notice" : NULL;
}

static bool run_mutant(enum mutant mutant)
{
	static char patterns[GROUPS][16];
	char *wanted[GROUPS];
	struct noticed noticed = {};
	struct conformance_request request = {
		.core = OURS_REMAP,
		.patterns = wanted,
		.told = told,
		.context = &noticed,
	};
	const char *missed;

	for (unsigned int g = 0; g < GROUPS; g++) {
		const char *name = conformance_groups[g]->name;

		if (!strstr(mutants[mutant].groups, name))
			continue;
		snprintf(patterns[request.nr], sizeof(patterns[0]), "%s.*", name);
		wanted[request.nr] = patterns[request.nr];
		request.nr++;
	}
	chosen = mutant;
	dma_buf_set_policy(DMA_BUF_POLICY_REMAP);
	conformance_run(&request);
	missed = missed_by(mutant, &noticed);
	printf("%s %d - %s: noticed by %u cases\n", missed ? "not ok" : "ok", mutant + 1,
	       mutants[mutant].name, noticed.cases);
	if (missed)
		printf("# %s: %s\n", missed, noticed.first ?: "no case");
	fflush(stdout);
	return missed;
}

/* Every case must be able to fail; who cannot is named. */
static bool group_can_fail(unsigned int g)
{
	const struct world_group *group = conformance_groups[g];
	unsigned int nr = 0;

	for (unsigned int i = 0; i < group->nr; i++) {
		nr += can_fail[g][i];
		if (!can_fail[g][i])
			printf("# no mutant is noticed by %s\n", group->cases[i].name);
	}
	printf("%s %u - %s: %u of %u cases noticed a mutant\n", nr == group->nr ? "ok" : "not ok",
	       MUTANTS + g + 1, group->name, nr, group->nr);
	return nr == group->nr;
}

int main(void)
{
	bool wrong = false;

	host_printk_level(2);
	printf("TAP version 13\n1..%d\n", MUTANTS + GROUPS);
	for (int mutant = NONE; mutant < MUTANTS; mutant++)
		wrong |= run_mutant(mutant);
	for (unsigned int g = 0; g < GROUPS; g++)
		wrong |= !group_can_fail(g);
	fflush(stdout);
	_exit(wrong);
}
