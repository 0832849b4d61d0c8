/* SPDX-License-Identifier: MIT */
/*
 * hints.c - see hints.h
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/port.h"
#include "userdev/hints.h"
#include "userdev/shared.h"
#include "userdev/supervisor.h"

int hints_init(struct supervisor *s, bool quick)
{
	char path[128];
	void *at;
	int fd;

	snprintf(path, sizeof(path), "%s/" SHARED_FILE, s->folder);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0400);
	if (fd < 0)
		return -errno;
	if (port_ftruncate(fd, sizeof(struct run_shared))) {
		close(fd);
		return -ENOMEM;
	}
	at = port_mmap(NULL, sizeof(struct run_shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return -ENOMEM;
	s->shared = at;
	s->shared->memfds = s->objects.memfds;
	s->shared->quick = quick;
	return 0;
}

void hints_fini(struct supervisor *s)
{
	if (!s->shared)
		return;
	WRITE_ONCE(s->shared->quick, 0);
	munmap(s->shared, sizeof(*s->shared));
	s->shared = NULL;
}

/* The place of @ino in the table, or NULL. */
static uint64_t *find(struct run_shared *shared, u64 ino)
{
	for (u32 i = 0; i < 64; i++) {
		uint64_t *entry = &shared->table[(shared_slot(ino) + i) % SHARED_ENTRIES];

		if (*entry >> 1 == ino)
			return entry;
	}
	return NULL;
}

static void set(uint64_t *entry, u64 value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

void hints_timelines(struct supervisor *s, int more)
{
	if (s->shared)
		WRITE_ONCE(s->shared->timelines, s->shared->timelines + more);
}

void hints_add(struct supervisor *s, struct object *object)
{
	uint64_t *free;

	if (!s->shared)
		return;
	WRITE_ONCE(s->shared->buffers, s->shared->buffers + 1);
	for (u32 i = 0; i < 64; i++) {
		free = &s->shared->table[(shared_slot(object->ino) + i) % SHARED_ENTRIES];
		if (*free)
			continue;
		set(free, object->ino << 1);
		return;
	}
	WRITE_ONCE(s->shared->unlisted, 1);
}

/* Empty @entry, and let those behind it move up whose search would end here. */
static void take_out(struct run_shared *shared, uint64_t *entry)
{
	u32 hole = entry - shared->table, at = hole;

	for (;;) {
		u64 value;
		u32 home;

		at = (at + 1) % SHARED_ENTRIES;
		value = shared->table[at];
		if (!value)
			break;
		home = shared_slot(value >> 1);
		if ((at - home) % SHARED_ENTRIES < (at - hole) % SHARED_ENTRIES)
			continue;
		set(&shared->table[hole], value);
		hole = at;
	}
	set(&shared->table[hole], 0);
}

void hints_end(struct supervisor *s, struct object *object)
{
	uint64_t *entry;

	if (!s->shared)
		return;
	hints_pending(s, object, false);
	WRITE_ONCE(s->shared->buffers, s->shared->buffers - 1);
	entry = find(s->shared, object->ino);
	if (entry)
		take_out(s->shared, entry);
}

void hints_pending(struct supervisor *s, struct object *object, bool pending)
{
	uint64_t *entry;

	if (object->is_pending == pending)
		return;
	object->is_pending = pending;
	if (!s->shared)
		return;
	WRITE_ONCE(s->shared->pending, s->shared->pending + (pending ? 1 : -1));
	entry = find(s->shared, object->ino);
	if (entry)
		set(entry, object->ino << 1 | (pending ? SHARED_PENDING : 0));
}
