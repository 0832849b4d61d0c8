/* SPDX-License-Identifier: MIT */
/* Readers who hold nothing: they never take half of a write for the whole. */
#include <linux/completion.h>
#include <linux/seqlock.h>
#include "tests/ktap.h"
#include "tests/threads.h"

static DEFINE_SEQLOCK(lock);
static unsigned long x, y; /* equal between writers */
static bool stop;
static struct completion reading;

static int reader(void *torn)
{
	unsigned long a, b, reads = 0;
	unsigned int seq;

	do {
		do {
			seq = read_seqbegin(&lock);
			a = READ_ONCE(x);
			b = READ_ONCE(y);
		} while (read_seqretry(&lock, seq));
		if (a != b)
			WRITE_ONCE(*(bool *)torn, true);
		if (!reads++)
			complete(&reading);
	} while (!READ_ONCE(stop));
	return 0;
}

static int writer(void *unused)
{
	int rounds = ktap_long ? 1000000 : 20000;

	complete(&reading);
	while (rounds--) {
		write_seqlock(&lock);
		WRITE_ONCE(x, x + 1);
		WRITE_ONCE(y, y + 1);
		write_sequnlock(&lock);
	}
	return 0;
}

static void nobody_reads_half(struct ktap *t)
{
	struct task_struct *readers[2], *writers[2];
	bool torn = false;

	init_completion(&reading);
	for (int i = 0; i < 2; i++)
		readers[i] = test_thread_start(reader, &torn);
	for (int i = 0; i < 2; i++)
		writers[i] = test_thread_start(writer, NULL);
	for (int i = 0; i < 4; i++)
		wait_for_completion(&reading);
	for (int i = 0; i < 2; i++)
		KT_EQ(t, test_thread_end(writers[i]), 0);
	WRITE_ONCE(stop, true);
	for (int i = 0; i < 2; i++)
		KT_EQ(t, test_thread_end(readers[i]), 0);
	KT_CHECK(t, !torn);
	KT_EQ(t, x, y);
	KT_EQ(t, lock.seqcount.sequence, 2 * x);
}

static void a_writer_between_is_noticed(struct ktap *t)
{
	seqcount_t count = SEQCNT_ZERO(count);
	unsigned int seq = read_seqcount_begin(&count);

	KT_CHECK(t, !read_seqcount_retry(&count, seq));
	write_seqcount_begin(&count);
	KT_CHECK(t, read_seqcount_retry(&count, seq));
	KT_EQ(t, raw_read_seqcount(&count) & 1, 1);
	KT_CHECK(t, read_seqcount_retry(&count, raw_seqcount_begin(&count)));
	write_seqcount_end(&count);
	KT_CHECK(t, read_seqcount_retry(&count, seq));
	seq = read_seqcount_begin(&count);
	write_seqcount_invalidate(&count);
	KT_CHECK(t, read_seqcount_retry(&count, seq));
}

static void a_count_knows_its_lock(struct ktap *t)
{
	DEFINE_SPINLOCK(spin);
	DEFINE_MUTEX(mutex);
	seqcount_spinlock_t a = SEQCNT_SPINLOCK_ZERO(a, &spin);
	seqcount_mutex_t b;
	unsigned int seq = read_seqcount_begin(&a);

	seqcount_mutex_init(&b, &mutex);
	spin_lock(&spin);
	write_seqcount_begin(&a);
	write_seqcount_end(&a);
	spin_unlock(&spin);
	KT_CHECK(t, read_seqcount_retry(&a, seq));
	mutex_lock(&mutex);
	write_seqcount_begin(&b);
	write_seqcount_end(&b);
	mutex_unlock(&mutex);
	KT_EQ(t, read_seqcount_begin(&b), 2);
	ktap_expect_warn(t, "lock");
	write_seqcount_begin(&a);
	write_seqcount_end(&a);
}

KTAP_MAIN(KTAP_CASE(nobody_reads_half), KTAP_CASE(a_writer_between_is_noticed),
	  KTAP_CASE(a_count_knows_its_lock))
