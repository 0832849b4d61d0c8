/* SPDX-License-Identifier: MIT */
/*
 * watch-pages.c - see watch-pages.h
 *
 * Nobody tells when a page is freed: at the end its reference count does.  A page that somebody else
 * has by then was allocated anew, which is noted, too.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/mm.h>

#include "checker/check/finding.h"
#include "checker/check/watch-pages.h"
#include "host/memory.h"

#define PAGES (HOST_MEMORY_BYTES >> PAGE_SHIFT)
#define STACKS 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under lock. */
static struct check_stack stacks[STACKS]; /* 0: of no interest; each once */
static unsigned int nr_stacks = 1;
static u16 stack_of[PAGES];
static unsigned long last; /* that a driver allocated */

static void (*hook_before)(struct page *page, unsigned int order);

static bool is_allocator(const void *pc)
{
	static const char *const names[] = { "alloc_pages", "__get_free_pages", "alloc_pages_exact",
					     "alloc_contig_pages" };
	const char *name;
	Dl_info info;

	if (!dladdr(pc, &info) || !info.dli_sname)
		return false;
	name = info.dli_sname;
	name += strncmp(name, "ldb_", 4) ? 0 : 4;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Did a driver call the allocator?  The frames before are this file's. */
static bool is_drivers_own(const struct check_stack *stack)
{
	int i = 0;

	while (i < stack->nr && !is_allocator(stack->pc[i]))
		i++;
	while (i < stack->nr && is_allocator(stack->pc[i]))
		i++;
	return i < stack->nr && check_address_of_driver(stack->pc[i]);
}

/* Caller holds lock. */
static unsigned int number_of(const struct check_stack *stack)
{
	size_t bytes = stack->nr * sizeof(stack->pc[0]);
	unsigned int i;

	for (i = 1; i < nr_stacks; i++)
		if (stacks[i].nr == stack->nr && !memcmp(stacks[i].pc, stack->pc, bytes))
			return i;
	if (nr_stacks == STACKS)
		return 0;
	stacks[nr_stacks] = *stack;
	return nr_stacks++;
}

static void allocated(struct page *page, unsigned int order)
{
	unsigned long first = page - mem_map;
	struct check_stack stack;
	bool own;
	u16 number;

	if (hook_before)
		hook_before(page, order);
	check_stack_take(&stack);
	own = is_drivers_own(&stack);
	pthread_mutex_lock(&lock);
	number = own ? number_of(&stack) : 0;
	for (unsigned long i = first; i < first + (1UL << order); i++)
		stack_of[i] = number;
	if (number)
		last = first;
	pthread_mutex_unlock(&lock);
}

void watch_pages_start(void)
{
	hook_before = host_page_alloc_hook;
	host_page_alloc_hook = allocated;
}

/* Under lock.  Frames of a program's memfd have a mapping; they came by another way. */
static bool is_used(unsigned long i)
{
	return stack_of[i] && !mem_map[i].mapping && page_count(&mem_map[i]) > 0;
}

unsigned int watch_pages_left(void)
{
	unsigned int used = 0;

	pthread_mutex_lock(&lock);
	for (unsigned long i = 0; mem_map && i < PAGES; i++)
		used += is_used(i);
	pthread_mutex_unlock(&lock);
	return used;
}

void watch_pages_tell(enum check_rule rule, const char *what)
{
	unsigned int used = watch_pages_left(), left = PAGES;
	struct check_stack stack = {};
	unsigned long one;

	if (!used)
		return;
	pthread_mutex_lock(&lock);
	for (one = last; left && !is_used(one); left--)
		one = (one + 1) % PAGES;
	if (left)
		stack = stacks[stack_of[one]];
	pthread_mutex_unlock(&lock);
	if (left)
		check_found_call(rule, NULL, &stack, NULL,
				 "%u block%s of pages allocated by the driver, here the last of "
				 "them, %s",
				 used, used == 1 ? "" : "s", what);
}
