/* SPDX-License-Identifier: MIT */
/*
 * xarray.c - a radix tree of 64-way nodes, read under RCU
 *
 * Invariants, under xa_lock
 *   1  A node covers indexes whose bits above its shift agree; leaves have shift 0.  The head covers
 *      0 up to some power of 64.  Nodes are never empty.
 *   2  used has a bit for each slot that is not NULL; full for each slot below which no index is
 *      free.
 *   3  A reserved index holds RESERVED, which readers take for NULL.
 *   4  marks[m] has a bit for each slot with mark m: of a leaf's entry, or of any below a node.
 *   5  A node is freed a grace period after it was taken out: readers inside see what it had.
 */
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#define SLOT_BITS 6
#define SLOTS 64
#define LEVELS DIV_ROUND_UP(BITS_PER_LONG, SLOT_BITS)
#define RESERVED ((void *)6UL)
#define XA_MARKS 3
#define FULL ~0ULL

struct xa_node {
	unsigned int shift;    /* set once */
	u64 used, full;        /* under xa_lock */
	u64 marks[XA_MARKS];   /* written under xa_lock, read under RCU */
	struct xa_node *spare; /* while it is in no tree */
	struct rcu_head rcu;
	void *slots[SLOTS]; /* entries in a leaf, nodes elsewhere */
};

static unsigned int slot_of(const struct xa_node *node, unsigned long index)
{
	return (index >> node->shift) & (SLOTS - 1);
}

/* The last index below @node, the head. */
static unsigned long node_last(const struct xa_node *node)
{
	unsigned int bits = node->shift + SLOT_BITS;

	return bits >= BITS_PER_LONG ? ULONG_MAX : (1UL << bits) - 1;
}

void xa_init_flags(struct xarray *xa, unsigned int flags)
{
	spin_lock_init(&xa->xa_lock);
	xa->xa_flags = flags;
	xa->xa_head = NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void *entry_seen(void *entry)
{
	return entry == RESERVED ? NULL : entry;
}

/* The slot's content, RESERVED as it is. In a reader section or under xa_lock. */
static void *tree_load(struct xarray *xa, unsigned long index)
{
	struct xa_node *node = rcu_dereference_raw(xa->xa_head);

	if (!node || index > node_last(node))
		return NULL;
	while (node && node->shift)
		node = rcu_dereference_raw(node->slots[slot_of(node, index)]);
	return node ? rcu_dereference_raw(node->slots[slot_of(node, index)]) : NULL;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	void *entry;

	rcu_read_lock();
	entry = entry_seen(tree_load(xa, index));
	rcu_read_unlock();
	return entry;
}

bool xa_empty(const struct xarray *xa)
{
	return !rcu_access_pointer(xa->xa_head);
}

/* Is there nothing for @filter at @slot of @node or below? */
static bool is_filtered(const struct xa_node *node, unsigned int slot, xa_mark_t filter)
{
	return filter != XA_PRESENT && !(READ_ONCE(node->marks[filter]) & BIT_ULL(slot));
}

/* The first entry for @filter in [*index, max], at which *index is then. */
static void *tree_find(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter)
{
	struct xa_node *head = rcu_dereference_raw(xa->xa_head);
	unsigned long at = *index;

	while (head && at <= max && at <= node_last(head)) {
		struct xa_node *node = head;
		unsigned long next;
		void *slot;

		for (;;) {
			slot = rcu_dereference_raw(node->slots[slot_of(node, at)]);
			if (is_filtered(node, slot_of(node, at), filter))
				slot = NULL;
			if (!slot || !node->shift)
				break;
			node = slot;
		}
		if (entry_seen(slot)) {
			*index = at;
			return slot;
		}
		next = (at | ((1UL << node->shift) - 1)) + 1;
		if (!next)
			return NULL;
		at = next;
	}
	return NULL;
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter)
{
	void *entry;

	if (WARN(filter != XA_PRESENT && filter >= XA_MARKS, "xa_find(): no mark %u", filter))
		return NULL;
	rcu_read_lock();
	entry = tree_find(xa, index, max, filter);
	rcu_read_unlock();
	return entry;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter)
{
	unsigned long after = *index + 1;
	void *entry;

	if (!after)
		return NULL;
	entry = xa_find(xa, &after, max, filter);
	if (entry)
		*index = after;
	return entry;
}

/* --- changing the tree, under xa_lock --------------------------------------------------------- */

/* The nodes from the head to the leaf of @index, which all exist; returns how many. */
static int tree_path(struct xarray *xa, unsigned long index, struct xa_node *path[LEVELS])
{
	struct xa_node *node = xa->xa_head;
	int n = 0;

	for (; node; node = node->shift ? node->slots[slot_of(node, index)] : NULL)
		path[n++] = node;
	return n;
}

/* Note whether there is a @mark at @slot of @node; a leaf has it only if @leaf. */
static void mark_note(struct xa_node *node, unsigned int slot, xa_mark_t mark, bool leaf)
{
	struct xa_node *child = node->shift ? node->slots[slot] : NULL;
	bool marked = node->shift ? child && child->marks[mark] : leaf;

	WRITE_ONCE(node->marks[mark],
		   (node->marks[mark] & ~BIT_ULL(slot)) | (marked ? BIT_ULL(slot) : 0));
}

/* Note on the way up what path[]'s leaf has at @index now, and take out what has become empty. */
static void tree_note(struct xarray *xa, unsigned long index, struct xa_node *path[LEVELS], int n)
{
	while (n--) {
		struct xa_node *node = path[n];
		unsigned int slot = slot_of(node, index);
		struct xa_node *child = node->shift ? node->slots[slot] : NULL;
		bool full = node->shift ? child && child->full == FULL : node->slots[slot] != NULL;

		node->used =
			(node->used & ~BIT_ULL(slot)) | (node->slots[slot] ? BIT_ULL(slot) : 0);
		node->full = (node->full & ~BIT_ULL(slot)) | (full ? BIT_ULL(slot) : 0);
		for (xa_mark_t mark = 0; mark < XA_MARKS; mark++)
			mark_note(node, slot, mark,
				  node->marks[mark] & BIT_ULL(slot) &&
					  entry_seen(node->slots[slot]));
		if (node->used)
			continue;
		if (n)
			rcu_assign_pointer(path[n - 1]->slots[slot_of(path[n - 1], index)], NULL);
		else
			rcu_assign_pointer(xa->xa_head, NULL);
		kfree_rcu(node, rcu);
	}
}

/* How many nodes an entry at @index needs that do not exist. */
static int nodes_missing(struct xarray *xa, unsigned long index)
{
	struct xa_node *node = xa->xa_head;
	int missing = 0, levels;

	if (!node)
		return index ? 1 + (int)__fls(index) / SLOT_BITS : 1;
	if (index > node_last(node)) {
		/* New heads above the old one, and below the topmost a path of its own. */
		levels = 1 + (int)__fls(index) / SLOT_BITS;
		return (levels - 1 - (int)node->shift / SLOT_BITS) + levels - 1;
	}
	for (levels = (int)node->shift / SLOT_BITS; levels; levels--) {
		node = node->slots[slot_of(node, index)];
		if (!node) {
			missing = levels;
			break;
		}
	}
	return missing;
}

static struct xa_node *spare_take(struct xa_node **spares, unsigned int shift)
{
	struct xa_node *node = *spares;

	*spares = node->spare;
	node->spare = NULL;
	node->shift = shift;
	return node;
}

static void tree_store(struct xarray *xa, unsigned long index, void *entry, struct xa_node **spares)
{
	struct xa_node *path[LEVELS], *node = xa->xa_head, *above;
	int n;

	if (!node) {
		node = spare_take(spares, index ? __fls(index) / SLOT_BITS * SLOT_BITS : 0);
		rcu_assign_pointer(xa->xa_head, node);
	}
	while (index > node_last(node)) {
		above = spare_take(spares, node->shift + SLOT_BITS);
		above->slots[0] = node;
		above->used = 1;
		above->full = node->full == FULL;
		for (xa_mark_t mark = 0; mark < XA_MARKS; mark++)
			above->marks[mark] = node->marks[mark] != 0;
		rcu_assign_pointer(xa->xa_head, above);
		node = above;
	}
	for (; node->shift; node = node->slots[slot_of(node, index)])
		if (!node->slots[slot_of(node, index)])
			rcu_assign_pointer(node->slots[slot_of(node, index)],
					   spare_take(spares, node->shift - SLOT_BITS));
	rcu_assign_pointer(node->slots[slot_of(node, index)], entry);
	n = tree_path(xa, index, path);
	tree_note(xa, index, path, n);
}

static void tree_erase(struct xarray *xa, unsigned long index)
{
	struct xa_node *path[LEVELS];
	int n;

	if (!tree_load(xa, index))
		return;
	n = tree_path(xa, index, path);
	rcu_assign_pointer(path[n - 1]->slots[slot_of(path[n - 1], index)], NULL);
	tree_note(xa, index, path, n);
}

/* The lowest free index in [*index, max]; false when none is. */
static bool tree_find_free(struct xarray *xa, unsigned long *index, unsigned long max)
{
	unsigned long at = *index, next;

	while (at <= max) {
		struct xa_node *node = xa->xa_head;

		if (!node || at > node_last(node))
			break;
		while (node && node->shift && !(node->full & BIT_ULL(slot_of(node, at))))
			node = node->slots[slot_of(node, at)];
		if (!node || !(node->full & BIT_ULL(slot_of(node, at))))
			break;
		next = (at | ((1UL << node->shift) - 1)) + 1;
		if (!next)
			return false;
		at = next;
	}
	*index = at;
	return at <= max;
}

/* --- operations ------------------------------------------------------------------------------- */

static bool entry_is_valid(const void *entry)
{
	return xa_is_value(entry) || ((unsigned long)entry & 3) == 0;
}

static void spares_free(struct xa_node *spares)
{
	while (spares) {
		struct xa_node *next = spares->spare;

		kfree(spares);
		spares = next;
	}
}

/* What is to be done; each kind decides under the lock. */
struct xa_op {
	enum { XA_STORE, XA_CMPXCHG, XA_INSERT, XA_ALLOC } kind;
	unsigned long index; /* XA_ALLOC: the lowest allowed, then the one found */
	unsigned long max;   /* XA_ALLOC */
	void *entry;
	void *old; /* XA_CMPXCHG: expected; all: what was there */
};

/* Under xa_lock: may it be done, and where? 0, 1: nothing to do, or an error. */
static int op_decide(struct xarray *xa, struct xa_op *op)
{
	void *there;

	if (op->kind == XA_ALLOC)
		return tree_find_free(xa, &op->index, op->max) ? 0 : -EBUSY;
	there = tree_load(xa, op->index);
	if (op->kind == XA_INSERT)
		return there ? -EBUSY : 0;
	if (op->kind == XA_CMPXCHG && entry_seen(there) != op->old) {
		op->old = entry_seen(there);
		return 1;
	}
	op->old = entry_seen(there);
	return 0;
}

/* Allocate a node for *@spares; drops the lock if @gfp may sleep. */
static int spare_add(struct xarray *xa, struct xa_node **spares, gfp_t gfp)
{
	bool irq = xa->xa_flags & XA_FLAGS_LOCK_IRQ, sleeps = gfpflags_allow_blocking(gfp);
	struct xa_node *node;

	if (sleeps && irq)
		xa_unlock_irq(xa);
	else if (sleeps)
		xa_unlock(xa);
	node = kzalloc(sizeof(*node), gfp);
	if (sleeps && irq)
		xa_lock_irq(xa);
	else if (sleeps)
		xa_lock(xa);
	if (!node)
		return -ENOMEM;
	node->spare = *spares;
	*spares = node;
	return 0;
}

/* With xa_lock held, which it may drop meanwhile. */
static int op_run(struct xarray *xa, struct xa_op *op, gfp_t gfp)
{
	const struct xa_op asked = *op;
	bool keeps = op->kind >= XA_INSERT || xa->xa_flags & XA_FLAGS_ALLOC;
	void *entry = op->entry ?: keeps ? RESERVED : NULL;
	struct xa_node *spares = NULL;
	int nr_spares = 0, ret;

	lockdep_assert_held(&xa->xa_lock);
	if (WARN(!entry_is_valid(op->entry), "xarray: this is no entry"))
		return -EINVAL;
	for (;;) {
		*op = asked;
		ret = op_decide(xa, op);
		if (ret || !entry || nodes_missing(xa, op->index) <= nr_spares)
			break;
		ret = spare_add(xa, &spares, gfp);
		if (ret)
			break;
		nr_spares++;
	}
	if (!ret && entry)
		tree_store(xa, op->index, entry, &spares);
	else if (!ret)
		tree_erase(xa, op->index);
	spares_free(spares);
	return ret;
}

static int op_lock_and_run(struct xarray *xa, struct xa_op *op, gfp_t gfp)
{
	bool irq = xa->xa_flags & XA_FLAGS_LOCK_IRQ;
	int ret;

	might_sleep_if(gfpflags_allow_blocking(gfp));
	if (irq)
		xa_lock_irq(xa);
	else
		xa_lock(xa);
	ret = op_run(xa, op, gfp);
	if (irq)
		xa_unlock_irq(xa);
	else
		xa_unlock(xa);
	return ret;
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	struct xa_op op = { .kind = XA_STORE, .index = index, .entry = entry };
	int err = op_lock_and_run(xa, &op, gfp);

	return err ? host_xa_mk_err(err) : op.old;
}

void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	struct xa_op op = { .kind = XA_STORE, .index = index, .entry = entry };
	int err = op_run(xa, &op, gfp);

	return err ? host_xa_mk_err(err) : op.old;
}

void *__xa_erase(struct xarray *xa, unsigned long index)
{
	void *old;

	lockdep_assert_held(&xa->xa_lock);
	old = entry_seen(tree_load(xa, index));
	tree_erase(xa, index);
	return old;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	unsigned long flags;
	void *old;

	xa_lock_irqsave(xa, flags);
	old = __xa_erase(xa, index);
	xa_unlock_irqrestore(xa, flags);
	return old;
}

void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp)
{
	struct xa_op op = { .kind = XA_CMPXCHG, .index = index, .entry = entry, .old = old };
	int ret = op_lock_and_run(xa, &op, gfp);

	return ret < 0 ? host_xa_mk_err(ret) : op.old;
}

int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	struct xa_op op = { .kind = XA_INSERT, .index = index, .entry = entry };

	return op_lock_and_run(xa, &op, gfp);
}

int __xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	struct xa_op op = { .kind = XA_INSERT, .index = index, .entry = entry };

	return op_run(xa, &op, gfp);
}

/* --- marks ------------------------------------------------------------------------------------ */

static void mark_change(struct xarray *xa, unsigned long index, xa_mark_t mark, bool set)
{
	struct xa_node *path[LEVELS];
	int n;

	lockdep_assert_held(&xa->xa_lock);
	if (WARN(mark >= XA_MARKS, "xarray: no mark %u", mark) || !entry_seen(tree_load(xa, index)))
		return;
	for (n = tree_path(xa, index, path); n--;)
		mark_note(path[n], slot_of(path[n], index), mark, set);
}

void __xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	mark_change(xa, index, mark, true);
}

void __xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	mark_change(xa, index, mark, false);
}

void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	unsigned long flags;

	xa_lock_irqsave(xa, flags);
	mark_change(xa, index, mark, true);
	xa_unlock_irqrestore(xa, flags);
}

void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	unsigned long flags;

	xa_lock_irqsave(xa, flags);
	mark_change(xa, index, mark, false);
	xa_unlock_irqrestore(xa, flags);
}

bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	unsigned long at = index;

	return xa_find(xa, &at, index, mark) != NULL;
}

bool xa_marked(const struct xarray *xa, xa_mark_t mark)
{
	const struct xa_node *head;
	bool marked;

	rcu_read_lock();
	head = rcu_dereference_raw(xa->xa_head);
	marked = head && READ_ONCE(head->marks[mark]);
	rcu_read_unlock();
	return marked;
}

/* --- reservations ----------------------------------------------------------------------------- */

int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp)
{
	int err = xa_insert(xa, index, NULL, gfp);

	return err == -EBUSY ? 0 : err;
}

void xa_release(struct xarray *xa, unsigned long index)
{
	unsigned long flags;

	xa_lock_irqsave(xa, flags);
	if (tree_load(xa, index) == RESERVED)
		tree_erase(xa, index);
	xa_unlock_irqrestore(xa, flags);
}

/* --- allocation ------------------------------------------------------------------------------- */

static struct xa_op op_alloc(const struct xarray *xa, void *entry, struct xa_limit limit)
{
	bool from_1 = (xa->xa_flags & XA_FLAGS_ALLOC1) == XA_FLAGS_ALLOC1;

	return (struct xa_op){ .kind = XA_ALLOC,
			       .index = from_1 ? max(limit.min, 1u) : limit.min,
			       .max = limit.max,
			       .entry = entry };
}

static bool can_alloc(const struct xarray *xa)
{
	return !WARN(!(xa->xa_flags & XA_FLAGS_ALLOC), "xa_alloc(): not an XA_FLAGS_ALLOC array");
}

int __xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp)
{
	struct xa_op op = op_alloc(xa, entry, limit);
	int err = can_alloc(xa) ? op_run(xa, &op, gfp) : -EINVAL;

	if (!err)
		*id = (u32)op.index;
	return err;
}

int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp)
{
	struct xa_op op = op_alloc(xa, entry, limit);
	int err = can_alloc(xa) ? op_lock_and_run(xa, &op, gfp) : -EINVAL;

	if (!err)
		*id = (u32)op.index;
	return err;
}

int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, u32 *next,
		    gfp_t gfp)
{
	bool wrapped = false;
	int err;

	err = xa_alloc(xa, id, entry, XA_LIMIT(max(*next, limit.min), limit.max), gfp);
	if (err == -EBUSY && *next > limit.min) {
		wrapped = true;
		err = xa_alloc(xa, id, entry, limit, gfp);
	}
	if (err)
		return err;
	*next = *id == limit.max ? limit.min : *id + 1;
	return wrapped;
}

static void node_free(struct xa_node *node)
{
	if (node->shift)
		for (int i = 0; i < SLOTS; i++)
			if (node->slots[i])
				node_free(node->slots[i]);
	kfree_rcu(node, rcu);
}

void xa_destroy(struct xarray *xa)
{
	struct xa_node *head;
	unsigned long flags;

	xa_lock_irqsave(xa, flags);
	head = xa->xa_head;
	rcu_assign_pointer(xa->xa_head, NULL);
	if (head)
		node_free(head);
	xa_unlock_irqrestore(xa, flags);
}
