/* SPDX-License-Identifier: MIT */
/*
 * dma-buf.h - share a buffer between devices: the calls of exporters and importers
 *
 * An *exporter* owns memory and wraps it in a struct dma_buf.  An *importer* attaches a device to
 * it and asks for mappings: sg_tables of DMA addresses for that device.  Names, rules and errors
 * are Linux 6.12's.
 *
 * What differs from Linux is underneath: under policy `cached` an attachment's mapping is kept from
 * its first use (core/mapping-slot.h), bytes move only when they must (core/coherence.h), and
 * neither exporter nor importer is changed for it.  Under policy `remap` every map asks the
 * exporter, as Linux does from 6.15 on.
 *
 * Lock rules.  "Held" and "not held" speak of dmabuf->resv, held by this thread.  Which call and
 * which callback needs what is one table, core/locking.def (docs/generated/locking.md shows it); it
 * is asserted, what a hit of a kept mapping asserts in checking builds only.  A call that must not
 * find it held, and does, WARNs and does nothing, -EDEADLK where it returns something (DIFFERS: Linux
 * waits for ever).
 */
#ifndef _LINUX_DMA_BUF_H
#define _LINUX_DMA_BUF_H

#include <linux/dma-direction.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <uapi/linux/dma-buf.h>

struct device;
struct dma_buf;
struct dma_buf_attachment;
struct mapping_slot;
struct slot_set;
struct vm_area_struct;

/*
 * What an exporter provides.
 */
struct dma_buf_ops {
	/*
	 * Optional.  A device attaches; @attach->dmabuf and ->dev are set, ->priv is the exporter's
	 * to set.  Not held, may sleep.  An errno refuses the device (-EBUSY: the buffer is where
	 * this device cannot reach it).
	 *
	 * DIFFERS: under policy `cached` this is the attachment behind the importer's: one for each
	 * device that was ever attached (three, unless may_widen: one a direction), kept after the
	 * importer's detach.  Its importer_priv is the first importer's during attach and NULL later.
	 */
	int (*attach)(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);

	/* Optional.  Undoes attach.  Not held, may sleep. */
	void (*detach)(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);

	/*
	 * Optional, but then both: makes the exporter dynamic.  Held.  pin keeps the buffer where
	 * it is until unpin.
	 */
	int (*pin)(struct dma_buf_attachment *attach);
	void (*unpin)(struct dma_buf_attachment *attach);

	/*
	 * Mandatory.
	 * Returns a table mapped for @attach->dev and @dir, owned by the exporter until
	 * unmap_dma_buf; ERR_PTR or NULL (-ENOMEM) on failure.  Held, may sleep.  -EINTR and
	 * -EAGAIN are passed to the importer.
	 */
	struct sg_table *(*map_dma_buf)(struct dma_buf_attachment *attach,
					enum dma_data_direction dir);

	/*
	 * Mandatory.  Takes back what map_dma_buf returned, with the direction it got.  Held, may
	 * sleep.
	 */
	void (*unmap_dma_buf)(struct dma_buf_attachment *attach, struct sg_table *sgt,
			      enum dma_data_direction dir);

	/* Mandatory.  The last reference has gone; no attachment is left.  Not held, may sleep. */
	void (*release)(struct dma_buf *dmabuf);

	/*
	 * Optional.  The CPU is about to access the buffer / has finished.  Not held, may sleep. An
	 * errno from begin is passed on and the access does not take place.
	 */
	int (*begin_cpu_access)(struct dma_buf *dmabuf, enum dma_data_direction dir);
	int (*end_cpu_access)(struct dma_buf *dmabuf, enum dma_data_direction dir);

	/*
	 * Optional.  One address for the whole buffer, memory or a device's window, valid and not
	 * moved until vunmap, which is optional too.  Held, may sleep.  Called for the first user
	 * only and after the last.
	 */
	int (*vmap)(struct dma_buf *dmabuf, struct iosys_map *map);
	void (*vunmap)(struct dma_buf *dmabuf, struct iosys_map *map);

	/*
	 * Optional.  Maps @vma->vm_pgoff and on into a program (linux/vm_area.h); the range lies in
	 * the buffer.  Not held, may sleep; mmap_lock held.  DIFFERS: the core keeps its own record
	 * in vma->vm_ops; open and close in the exporter's are called as in Linux.
	 */
	int (*mmap)(struct dma_buf *dmabuf, struct vm_area_struct *vma);

	/*
	 * Ours.  begin_cpu_access and end_cpu_access only maintain caches for mapped attachments:
	 * the directory does that better, and under policy `cached` they are not called.
	 * DIFFERS: Linux has no such flag.
	 */
	bool cpu_access_only_syncs;

	/*
	 * Ours.  A mapping may be widened in place from one direction to both without asking again;
	 * for buffers in ordinary memory.  Without it a wider request is a second attachment and a
	 * second map_dma_buf: the way an unmodified exporter refuses a direction.
	 * DIFFERS: Linux has no such flag.
	 */
	bool may_widen;

	/*
	 * Ours.  Nobody accesses the memory behind the core's back: the exporter has no device that
	 * does, or puts its accesses between dma_buf_begin_exporter_access() and its end.  Without
	 * it every access of an importer moves the bytes that a fresh mapping's would, for the
	 * directory cannot know who wrote last; mappings are kept all the same.
	 * DIFFERS: Linux has no such flag.
	 */
	bool tells_own_access;

	/*
	 * Ours.  All that the CPU sees of the buffer (vmap, mmap, what is between begin_cpu_access
	 * and end_cpu_access) is uncached or write-combined, as dma_alloc_wc() makes it: the CPU
	 * then is where devices are that do not snoop.  For exporters that are not dynamic and tell
	 * their own accesses.
	 * DIFFERS: Linux has no such flag and does not keep devices that snoop coherent with it.
	 */
	bool cpu_maps_uncached;

	/*
	 * Ours, with pin.  The buffer moves only between dma_buf_move_begin() and its end, which
	 * take static importers' kept mappings away and make them anew.  So these pin nothing:
	 * the buffer stays only while one is in use.  Without it a kept mapping is a pin, from its
	 * first use until it has been idle for a while (dma_buf_cache_set_idle()) or is reclaimed.
	 * DIFFERS: Linux has no such flag: it pins static importers' buffers.
	 */
	bool tells_moves;

	/*
	 * Linux's, until 6.15: the core keeps an attachment's mapping until detach.  DIFFERS: not
	 * looked at; the policy decides what is kept.
	 */
	bool cache_sgt_mapping;
};

/*
 * What a dynamic importer provides.  invalidate_mappings is Linux 7.1's name of move_notify.
 */
struct dma_buf_attach_ops {
	bool allow_peer2peer;

	/*
	 * Mandatory.  The buffer is about to move: stop using the mapping, unmap it, map again
	 * later.  Held.  From here it may be unmapped, not mapped or pinned: WARN, -EBUSY.
	 */
	union {
		void (*move_notify)(struct dma_buf_attachment *attach);
		void (*invalidate_mappings)(struct dma_buf_attachment *attach);
	};
};

struct dma_buf {
	/* immutable after dma_buf_export() */
	size_t size; /* bytes */
	struct file *file;
	const struct dma_buf_ops *ops;
	const char *exp_name;
	struct module *owner;
	void *priv;            /* the exporter's */
	struct dma_resv *resv; /* its own, or the one given to export */

	/* guarded by resv */
	struct list_head attachments; /* those the exporter has seen */

	/* what the core keeps follows in memory: core/buffer.h */
};

struct dma_buf_attachment {
	/* immutable after attach, Linux's */
	struct dma_buf *dmabuf;
	struct device *dev;
	struct list_head node; /* guarded by dmabuf->resv */
	bool peer2peer;
	bool no_snoop; /* ours: dma_buf_attach_no_snoop() */
	const struct dma_buf_attach_ops *importer_ops;
	void *importer_priv;
	void *priv; /* the exporter's */

	/*
	 * The core's, immutable after attach.  The slot that serves each enum dma_data_direction,
	 * NULL when nothing is kept (policy `remap`); beside the slots in memory so that a hit
	 * touches one cache line.
	 */
	struct mapping_slot *slot[3];
	struct slot_set *set;
};

struct dma_buf_export_info {
	const char *exp_name;
	struct module *owner;
	const struct dma_buf_ops *ops;
	size_t size; /* bytes */
	int flags;   /* the file's: O_RDWR, O_CLOEXEC */
	struct dma_resv *resv;
	void *priv;
};

#ifndef KBUILD_MODNAME
#define KBUILD_MODNAME "libdmabuf"
#endif

#define DEFINE_DMA_BUF_EXPORT_INFO(name)    \
	struct dma_buf_export_info name = { \
		.exp_name = KBUILD_MODNAME, \
		.owner = THIS_MODULE,       \
	}

/** dma_buf_is_dynamic - can the exporter move the buffer? */
static inline bool dma_buf_is_dynamic(struct dma_buf *dmabuf)
{
	return dmabuf->ops->pin;
}

/** dma_buf_attachment_is_dynamic - does the importer follow moves? */
static inline bool dma_buf_attachment_is_dynamic(struct dma_buf_attachment *attach)
{
	return attach->importer_ops;
}

/* --- policy ----------------------------------------------------------------------------------- */

enum dma_buf_policy {
	DMA_BUF_POLICY_CACHED, /* keep mappings; the default */
	DMA_BUF_POLICY_REMAP,  /* Linux >= 6.15: map each time */
};

/**
 * dma_buf_set_policy - the policy of buffers exported from now on
 *
 * The first export reads DMABUF_POLICY (`cached` or `remap`) from the environment unless this was
 * called before.
 * Context: any.
 * DIFFERS: ours.
 */
void dma_buf_set_policy(enum dma_buf_policy policy);
enum dma_buf_policy dma_buf_get_policy(void);

/**
 * dma_buf_cache_set_budget - keep at most @bytes mapped by idle slots, over all buffers
 *
 * Above it the least recently detached are torn down; active ones never are.  Default: no limit.
 * Whatever the budget, a map that lacks memory, addresses or bounce slots has those of all mappings
 * that nobody uses: first of those that nobody is attached for, the oldest first.  So it does not fail
 * where mapping afresh would not have, unless somebody holds the reservations that they are under.
 * Until then an idle mapping of an exporter that moves is a pin; 0 keeps none after the detach.
 * Context: may sleep, nothing held.
 * DIFFERS: ours.
 */
void dma_buf_cache_set_budget(size_t bytes);

/**
 * dma_buf_cache_set_idle - where a kept mapping is a pin, end it when nobody has used it for @ms
 *
 * For exporters that can move and do not set tells_moves.  It is looked at every @ms, so it may take
 * twice as long.  Default: 10000; 0: only at the last detach, and when a map lacks room.
 * Context: may sleep, nothing held.
 * DIFFERS: ours.
 */
void dma_buf_cache_set_idle(unsigned int ms);

/**
 * dma_buf_count_pinned - count in DMA_COST_PINNED_NS how long buffers cannot move: from the first
 * map of a static importer to the last unmap
 *
 * Costs two readings of the clock a map, so it is off until asked for; listens to events.
 * Context: while nothing is mapped.  Asked for twice it is on once; WARNs, and stays off, when too
 * many listen to events already.
 * DIFFERS: ours.
 */
void dma_buf_count_pinned(bool on);

/* --- exporters -------------------------------------------------------------------------------- */

/**
 * dma_buf_export - a new buffer
 *
 * Context: may sleep.
 * Ownership: the caller owns one reference to the result and drops it with dma_buf_put(); @info is
 * copied.
 * Returns ERR_PTR: -EINVAL a mandatory field or op is missing, pin without unpin, tells_moves
 * without pin, cpu_maps_uncached with pin or without tells_own_access; -ENOMEM.
 */
struct dma_buf *dma_buf_export(const struct dma_buf_export_info *info);

/* --- references ------------------------------------------------------------------------------- */

/**
 * dma_buf_fd - a descriptor for the buffer
 * @flags: O_CLOEXEC; others, as of the file's, are ignored
 *
 * Returns the descriptor, which consumes the caller's reference, or -EINVAL, -EMFILE, -ENFILE,
 * -ENOMEM and then the reference stays the caller's.
 */
int dma_buf_fd(struct dma_buf *dmabuf, int flags);

/**
 * dma_buf_get - a reference from a descriptor; ERR_PTR(-EBADF), or -EINVAL if it is not a dma-buf's
 */
struct dma_buf *dma_buf_get(int fd);

/**
 * dma_buf_put - drop one. WARNs on NULL. The last one releases the buffer, at once unless in
 * atomic context or with a reservation held that the exporter brought.
 */
void dma_buf_put(struct dma_buf *dmabuf);

/** get_dma_buf - one more reference */
static inline void get_dma_buf(struct dma_buf *dmabuf)
{
	get_file(dmabuf->file);
}

/* --- importers -------------------------------------------------------------------------------- */

/**
 * dma_buf_attach - @dev will use the buffer; a static importer
 * dma_buf_dynamic_attach - the same, and the importer follows moves
 *
 * A device that was attached before finds its mapping again.
 * Context: may sleep; not held.
 * Ownership: give the result to dma_buf_detach() exactly once; it holds no reference to the buffer,
 * the caller must.
 * Returns ERR_PTR: -EINVAL with WARN for NULL or importer_ops without move_notify; -ENOMEM; what
 * ops->attach said.
 */
struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf, struct device *dev);
struct dma_buf_attachment *dma_buf_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
						  const struct dma_buf_attach_ops *importer_ops,
						  void *importer_priv);

/**
 * dma_buf_attach_no_snoop - the same for accesses that @dev makes past the CPU's caches, though it
 * could snoop
 * @importer_ops: NULL for a static importer
 *
 * GPUs choose by transaction: one that does both attaches twice, and uses each table for what it
 * was mapped for.
 * Returns as above, and ERR_PTR(-EOPNOTSUPP) for a device behind bounce buffers.
 * DIFFERS: ours; in Linux such drivers flush by hand.
 */
struct dma_buf_attachment *dma_buf_attach_no_snoop(struct dma_buf *dmabuf, struct device *dev,
						   const struct dma_buf_attach_ops *importer_ops,
						   void *importer_priv);

/**
 * dma_buf_detach - undo any of them
 *
 * Context: may sleep; not held.  With a mapping in use it WARNs; the memory stays until the last
 * unmap (quarantine), which is still allowed, and the attachment with it.
 * DIFFERS: Linux frees the attachment under its user.
 */
void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);

/**
 * dma_buf_map_attachment - addresses for attach->dev, coherent for an access in @dir
 * dma_buf_map_attachment_unlocked - the same when the reservation is not held: a hit takes no lock
 * at all
 *
 * A static importer's map waits for the buffer's KERNEL fences; a dynamic one waits itself.
 * Context: may sleep.
 * Ownership: the table stays the core's; give it to an unmap exactly once with the same @dir.
 * Several maps of one attachment, of different directions too, may be in use at once.
 * Returns ERR_PTR: -EINVAL with WARN for NULL or DMA_NONE; -ENOMEM; -ENODEV the device or exporter
 * has gone; -EBUSY; -ERESTARTSYS; what map_dma_buf said.
 * Ordering: what the last access to the buffer wrote, if it has ended, is what the device reads.
 */
struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction dir);
struct sg_table *dma_buf_map_attachment_unlocked(struct dma_buf_attachment *attach,
						 enum dma_data_direction dir);

enum dma_buf_placement {
	DMA_BUF_PLACEMENT_SYSTEM, /* ordinary memory */
	DMA_BUF_PLACEMENT_DEVICE, /* a device's own */
};

/**
 * dma_buf_map_placement - where the buffer is that a map returned
 * @sgt: mapped, and not unmapped yet
 *
 * It stays there until the unmap, or for a dynamic importer until he is told that it moves.  Who does
 * not want it there unmaps, and has lost nothing but time.
 * Context: reservation held or not.
 * Returns it; DMA_BUF_PLACEMENT_SYSTEM with WARN for NULL, or a table that is not mapped.
 * DIFFERS: ours.
 */
enum dma_buf_placement dma_buf_map_placement(struct dma_buf_attachment *attach,
					     struct sg_table *sgt);

/**
 * dma_buf_unmap_attachment - the access is over; held
 * dma_buf_unmap_attachment_unlocked - not held
 *
 * Either takes what either map returned.  A wrong @dir, or a table that is not mapped, WARNs and
 * names the rule.
 */
void dma_buf_unmap_attachment(struct dma_buf_attachment *attach, struct sg_table *sgt,
			      enum dma_data_direction dir);
void dma_buf_unmap_attachment_unlocked(struct dma_buf_attachment *attach, struct sg_table *sgt,
				       enum dma_data_direction dir);

/**
 * dma_buf_begin_access - an importer that keeps its mapping begins one access through it
 * dma_buf_end_access - and ends it
 *
 * For importers that map once and run many jobs: what map and unmap would do to the bytes, without
 * them.
 * Context: @attach mapped with @dir (@sgt), may sleep; not held.
 * DIFFERS: Linux has no such call; vb2 calls dma_sync_* on the table itself, or nothing for DMABUF.
 */
void dma_buf_begin_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			  enum dma_data_direction dir);
void dma_buf_end_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir);

/**
 * dma_buf_begin_exporter_access - the exporter's own device is about to access its buffer
 * dma_buf_end_exporter_access - and has finished; same arguments as its begin
 * @dev: that device
 * @sgt: its own mapping of the whole buffer, DMA_BIDIRECTIONAL, of pages; NULL when the buffer is in
 *       @dev's own memory, which nobody caches
 * @dir: DMA_FROM_DEVICE when the device writes, DMA_TO_DEVICE when it reads, or both
 *
 * Between the two the device finds what others wrote before, and after the end everybody finds what
 * it wrote.  The exporter need not sync @sgt.  To other importers the access is one of the CPU's:
 * one beside an access of another device to other cache lines is right, but with @dev behind bounce
 * buffers only if nobody else writes meanwhile, as with a fresh mapping.  An exporter that moves its
 * buffer reads the old place and writes the new one between these.  Exporters that call these
 * wherever they must set dma_buf_ops.tells_own_access.
 * Context: may sleep; reservation held or not.  Fences are the exporter's business.
 * Returns 0; -EINVAL with WARN for NULL or DMA_NONE; -ENOMEM.  After an error nothing is open.
 * DIFFERS: ours.
 */
int dma_buf_begin_exporter_access(struct dma_buf *dmabuf, struct device *dev, struct sg_table *sgt,
				  enum dma_data_direction dir);
void dma_buf_end_exporter_access(struct dma_buf *dmabuf, struct device *dev, struct sg_table *sgt,
				 enum dma_data_direction dir);

/* --- the CPU ---------------------------------------------------------------------------------- */

/**
 * dma_buf_begin_cpu_access - the CPU is about to access the whole buffer
 * dma_buf_begin_cpu_access_partial - only [@offset, @offset + @len), rounded out to cache lines
 * @dir: DMA_FROM_DEVICE to read, DMA_TO_DEVICE to write, DMA_BIDIRECTIONAL for both
 *
 * Waits for the buffer's fences: writers', and readers' too when the CPU writes.
 * Context: may sleep; not held.
 * Returns 0; -EINVAL with WARN for NULL, or a range outside the buffer; -ENOMEM; -ERESTARTSYS; what
 * the exporter said. After an error nothing is open.
 */
int dma_buf_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
int dma_buf_begin_cpu_access_partial(struct dma_buf *dmabuf, enum dma_data_direction dir,
				     size_t offset, size_t len);

/**
 * dma_buf_end_cpu_access - and has finished; same arguments as its begin
 *
 * Context: may sleep; not held.
 * Returns 0 or what the exporter said.
 */
int dma_buf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
int dma_buf_end_cpu_access_partial(struct dma_buf *dmabuf, enum dma_data_direction dir,
				   size_t offset, size_t len);

/**
 * dma_buf_mmap - let a program map the buffer through another file, from inside that one's ->mmap()
 * @pgoff: where in the buffer, pages; becomes @vma->vm_pgoff
 *
 * @vma belongs to the buffer's file afterwards.  The same rules hold for a program that maps the
 * descriptor itself: until the program brackets its accesses (DMA_BUF_IOCTL_SYNC), and again after
 * each further mmap, the buffer counts as being accessed by the CPU for as long as it is mapped,
 * for writing unless it cannot be written; devices' accesses then move bytes as with fresh mappings.
 * Context: may sleep; not held; mmap_lock held.
 * Returns 0; -EINVAL with WARN for NULL, without when the exporter has no mmap or the range ends
 * outside the buffer; -EOVERFLOW; -ENOMEM; what the exporter said.
 */
int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma, unsigned long pgoff);

/**
 * dma_buf_vmap - one address for the kernel to use the whole buffer through
 * dma_buf_vmap_unlocked - the same when the reservation is not held
 *
 * All users share one mapping.  As long as there is one the buffer counts as being written by the
 * CPU, so that a user who never calls begin_cpu_access() is right; a device's accesses then move
 * bytes as with a fresh mapping.  A map of a device's window (is_iomem) costs nothing.
 * Context: may sleep; held.
 * Ownership: give the result to a vunmap exactly once.
 * Returns 0; -EINVAL the exporter has no vmap, or with WARN for NULL; -ENOMEM; what the exporter
 * said (DIFFERS: Linux WARNs of that).  After an error @map is cleared.
 */
int dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
int dma_buf_vmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map);

/**
 * dma_buf_vmap_bracketed - the same for a user who puts each access between
 * dma_buf_begin_cpu_access() and dma_buf_end_cpu_access()
 *
 * Then caching pays while the map lasts, unless others without brackets share it.
 * Context: may sleep; held.  Give back with dma_buf_vunmap().
 * DIFFERS: ours.
 */
int dma_buf_vmap_bracketed(struct dma_buf *dmabuf, struct iosys_map *map);

/**
 * dma_buf_vunmap - give back what a vmap gave; held
 * dma_buf_vunmap_unlocked - not held
 *
 * Context: may sleep.  WARNs, and nothing happens, for another map or a buffer that is not mapped
 * (DIFFERS: Linux is at an end there).
 */
void dma_buf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);
void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map);

/* --- moves ------------------------------------------------------------------------------------ */

/**
 * dma_buf_pin - keep the buffer where it is until dma_buf_unpin()
 *
 * For importers that follow moves and for a while cannot (scanout).
 * Context: held, may sleep.
 * Returns 0, also when the exporter never moves it; -EINVAL with WARN for NULL or a static
 * importer; what the exporter said.
 */
int dma_buf_pin(struct dma_buf_attachment *attach);
void dma_buf_unpin(struct dma_buf_attachment *attach);

/**
 * dma_buf_move_notify - an exporter says: whoever follows moves, stop using your mapping
 * dma_buf_invalidate_mappings - Linux 7.1's name of it
 *
 * Calls every dynamic importer's move_notify().  The exporter moves the bytes afterwards, waiting
 * for the reservation's fences, and still holds the reservation.
 * Context: held.  WARNs, and calls nobody, when the exporter has no pin, for it cannot move, and when
 * the buffer is being moved already, as in an importer's move_notify.
 */
void dma_buf_move_notify(struct dma_buf *dmabuf);

static inline void dma_buf_invalidate_mappings(struct dma_buf *dmabuf)
{
	dma_buf_move_notify(dmabuf);
}

/**
 * dma_buf_move_begin - an exporter that sets tells_moves is about to move its buffer
 * dma_buf_move_end - it has moved, or stays where it was
 * @timeout: jiffies to wait for static importers that use their mappings, and who is waited for in
 *	     vain is named in the log; 0: not at all, as inside an eviction
 *
 * The begin tells dynamic importers as dma_buf_move_notify() does, and takes the kept mappings of
 * static ones away, all or none; the end makes them anew with map_dma_buf, of where the buffer is
 * then.  Who maps in between sleeps until the end.  What cannot be made anew is asked for again by
 * the next map; map_dma_buf may refuse when it is called from the end, where it must not move.
 * The bytes are the exporter's to copy, between dma_buf_begin_exporter_access() and its end, now or
 * by an engine whose fence of usage KERNEL it adds before the end of the move: then static
 * importers' maps wait for that.
 * All that the move needs is allocated before: in between nobody waits for memory, for a lock that
 * he does not hold, or for another move.  A map_dma_buf that is asked for the first time may move
 * its buffer so.
 * Context: held throughout; may sleep.
 * Returns 0, and the end must follow; -EBUSY a static importer uses a mapping, or one that was
 * detached in use is still there (dynamic importers may have been told for nothing); -ENOMEM; -ENODEV
 * the buffer is revoked;
 * -EDEADLK with WARN the buffer is being moved already, as by map_dma_buf from the end; -EINVAL with
 * WARN for NULL, or an exporter without tells_moves.  After an error nothing is taken away.
 * DIFFERS: ours.
 */
int dma_buf_move_begin(struct dma_buf *dmabuf, long timeout);
void dma_buf_move_end(struct dma_buf *dmabuf);

/**
 * dma_buf_move_blocked - would dma_buf_move_begin() with timeout 0 be -EBUSY now?
 *
 * For exporters, before they make room elsewhere for a buffer that could not go there.
 * Context: held.  DIFFERS: ours.
 */
bool dma_buf_move_blocked(struct dma_buf *dmabuf);

/**
 * dma_buf_revoke - an exporter takes its buffer away from everybody, for good: its device goes
 * @timeout: jiffies for each of two waits
 *
 * From now on attach, map, vmap and a move answer -ENODEV.  Dynamic importers are told as by
 * dma_buf_invalidate_mappings(); then it waits for all fences, until which they may access the
 * buffer, and then for all unmaps, until which they may read it and must not care what they read.
 * Static importers can only be waited for: dma_buf_attach_revocable().
 * Context: may sleep; not held.  Idempotent: who got -ETIMEDOUT may call again.
 * Returns 0: nobody has a mapping; -ETIMEDOUT: a fence has not signaled or somebody has not unmapped,
 * and the log says who, and, of those who can be told, where he mapped.  His memory is not to be used
 * for anything else before unmap_dma_buf.  -EINVAL with WARN for NULL.
 * DIFFERS: ours; in Linux 7.1 each exporter does it by hand.
 */
int dma_buf_revoke(struct dma_buf *dmabuf, long timeout);

/**
 * dma_buf_attach_revocable - can the exporter take this importer's mappings away? Linux 7.1
 *
 * For ops->attach: an exporter whose memory can go may refuse others, -EOPNOTSUPP.
 */
bool dma_buf_attach_revocable(struct dma_buf_attachment *attach);

/* --- what there is ---------------------------------------------------------------------------- */

enum dma_buf_list_format {
	DMA_BUF_LIST_TEXT, /* for people: a line an item, indented under what has it */
	DMA_BUF_LIST_JSON, /* one object and a newline */
};

/**
 * dma_buf_list - say of every buffer what Linux's dma_buf/bufinfo does, and what is kept
 * @write: is given the text in pieces, in order
 *
 * Of each buffer: size, flags and references of its file, exporter, name, policy, vmaps; each
 * device it is attached to or keeps mappings for, with how many importers (0: only kept) and each
 * kept mapping's direction, state (active or idle) and bytes; each fence.  Then the number of
 * buffers and their bytes.  Both formats say the same; bytes that are no printable ASCII are
 * \u00NN.
 * Context: may sleep; no reservation held.  @write runs with the buffer's reservation held and
 * may call nothing of dma-buf.
 * DIFFERS: ours; bufinfo writes to its seq_file only.
 */
void dma_buf_list(enum dma_buf_list_format format,
		  void (*write)(void *context, const char *text, size_t len), void *context);

#endif
