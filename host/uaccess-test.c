/* SPDX-License-Identifier: MIT */
/* Copies from and to pointers that may point anywhere. */
#include <string.h>
#include <sys/mman.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "host/port.h"
#include "tests/ktap.h"

/* One page that is there, followed by one that is not. */
static char *page_at_the_edge(void)
{
	char *p = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	if (p == MAP_FAILED)
		return NULL;
	munmap(p + PAGE_SIZE, PAGE_SIZE);
	return p;
}

static void copies_both_ways(struct ktap *t)
{
	char a[64] = "some text", b[64] = "";
	int value = 0;

	KT_EQ(t, copy_from_user(b, a, sizeof(a)), 0);
	KT_CHECK(t, !memcmp(a, b, sizeof(a)));
	a[0] = 'S';
	KT_EQ(t, copy_to_user(b, a, sizeof(a)), 0);
	KT_CHECK(t, !memcmp(a, b, sizeof(a)));
	KT_EQ(t, put_user(42, &value), 0);
	KT_EQ(t, value, 42);
	value = 43;
	KT_EQ(t, get_user(value, &value), 0);
	KT_EQ(t, value, 43);
}

static void nowhere_is_an_error(struct ktap *t)
{
	int *nowhere = (int *)8, value = 5;
	char buf[16];

	memset(buf, 1, sizeof(buf));
	KT_EQ(t, copy_from_user(buf, nowhere, sizeof(buf)), sizeof(buf));
	KT_CHECK(t, !buf[0] && !buf[15]);
	KT_EQ(t, copy_to_user(nowhere, buf, sizeof(buf)), sizeof(buf));
	KT_EQ(t, get_user(value, nowhere), -EFAULT);
	KT_EQ(t, value, 0);
	KT_EQ(t, put_user(1, nowhere), -EFAULT);
}

static void half_a_copy_leaves_zeroes(struct ktap *t)
{
	char *edge = page_at_the_edge(), buf[32];
	unsigned long left;

	KT_ASSERT(t, edge);
	memset(edge, 7, PAGE_SIZE);
	memset(buf, 1, sizeof(buf));
	left = copy_from_user(buf, edge + PAGE_SIZE - 10, sizeof(buf));
	KT_CHECK(t, left >= sizeof(buf) - 10 && left <= sizeof(buf));
	KT_EQ(t, buf[31], 0);
	KT_EQ(t, buf[10], 0);
	munmap(edge, PAGE_SIZE);
}

static void strings(struct ktap *t)
{
	char *edge = page_at_the_edge(), *s;

	KT_ASSERT(t, edge);
	s = strndup_user("name", 32);
	KT_ASSERT(t, !IS_ERR(s));
	KT_CHECK(t, !strcmp(s, "name"));
	kfree(s);
	s = strndup_user("name", 5);
	KT_ASSERT(t, !IS_ERR(s));
	kfree(s);
	KT_EQ(t, PTR_ERR(strndup_user("name", 4)), -EINVAL);
	KT_EQ(t, PTR_ERR(strndup_user("name", 0)), -EINVAL);
	KT_EQ(t, PTR_ERR(strndup_user((char *)8, 4)), -EFAULT);

	/* A string that ends where memory ends is whole. */
	strcpy(edge + PAGE_SIZE - 5, "last");
	s = strndup_user(edge + PAGE_SIZE - 5, 32);
	KT_ASSERT(t, !IS_ERR(s));
	KT_CHECK(t, !strcmp(s, "last"));
	kfree(s);

	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, PTR_ERR(strndup_user("name", 32)), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	munmap(edge, PAGE_SIZE);
}

static void duplicates(struct ktap *t)
{
	char *p = memdup_user("bytes", 6);

	KT_ASSERT(t, !IS_ERR(p));
	KT_CHECK(t, !strcmp(p, "bytes"));
	kfree(p);
	KT_EQ(t, PTR_ERR(memdup_user((char *)8, 6)), -EFAULT);
}

static void structures_that_grow(struct ktap *t)
{
	char from[200] = { 1, 2, 3, 4 }, to[8];

	memset(to, 9, sizeof(to));
	KT_EQ(t, copy_struct_from_user(to, sizeof(to), from, 3), 0);
	KT_EQ(t, memcmp(to, "\1\2\3\0\0\0\0", sizeof(to)), 0);
	KT_EQ(t, copy_struct_from_user(to, sizeof(to), from, sizeof(to)), 0);
	KT_EQ(t, to[3], 4);
	KT_EQ(t, copy_struct_from_user(to, sizeof(to), from, sizeof(from)), 0);
	from[199] = 1;
	KT_EQ(t, copy_struct_from_user(to, sizeof(to), from, sizeof(from)), -E2BIG);
	from[199] = 0;
	from[8] = 1;
	KT_EQ(t, copy_struct_from_user(to, sizeof(to), from, 9), -E2BIG);
	KT_EQ(t, copy_struct_from_user(to, sizeof(to), (void *)16, 8), -EFAULT);
	KT_EQ(t, to[0], 0);
}

static void every_copy_can_be_made_to_fail(struct ktap *t)
{
	char a[4] = "new", b[4] = "old";
	int value = 5;

	port_fail_nth(PORT_FAULT_COPY, 2);
	KT_EQ(t, copy_to_user(b, a, sizeof(a)), 0);
	KT_EQ(t, copy_to_user(b, "no", 3), 3);
	KT_CHECK(t, !strcmp(b, "new"));
	KT_EQ(t, put_user(6, &value), 0);
	KT_EQ(t, value, 6);
	port_fail_from(PORT_FAULT_COPY, 1);
	KT_EQ(t, copy_from_user(b, a, sizeof(a)), sizeof(a));
	KT_CHECK(t, !b[0] && !b[3]);
	KT_EQ(t, put_user(7, &value), -EFAULT);
	KT_EQ(t, value, 6);
	KT_EQ(t, PTR_ERR(memdup_user(a, sizeof(a))), -EFAULT);
	KT_EQ(t, PTR_ERR(strndup_user(a, sizeof(a))), -EFAULT);
	KT_EQ(t, copy_struct_from_user(&value, sizeof(value), a, sizeof(a)), -EFAULT);
	/* What copies nothing cannot. */
	KT_EQ(t, port_fault_count(PORT_FAULT_COPY), 5);
	KT_EQ(t, copy_to_user(b, a, 0), 0);
	KT_EQ(t, port_fault_count(PORT_FAULT_COPY), 5);
	port_fail_nth(PORT_FAULT_COPY, 0);
	KT_EQ(t, copy_from_user(b, a, sizeof(a)), 0);
}

KTAP_MAIN(KTAP_CASE(structures_that_grow), KTAP_CASE(copies_both_ways),
	  KTAP_CASE(nowhere_is_an_error), KTAP_CASE(half_a_copy_leaves_zeroes), KTAP_CASE(strings),
	  KTAP_CASE(duplicates), KTAP_CASE(every_copy_can_be_made_to_fail))
