/* SPDX-License-Identifier: MIT */
/*
 * process-test.c - what the library does to a process: nothing before first use, no signal taken,
 * nothing left; and what it does where the kernel refuses a call
 *
 * Each case is a process of its own, this program with --child NAME, that ends with 0 when all was
 * as it must be: only there nothing has used the library before.  What it says on standard error is
 * part of the answer.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/seccomp.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/libdmabuf.h"
#include "tests/ktap.h"

#define CHILD_SKIPS 77
#define NO_CHILD 127

#define MUST(cond)                                                   \
	do {                                                         \
		if (!(cond)) {                                       \
			dprintf(2, "%d: not %s\n", __LINE__, #cond); \
			_exit(1);                                    \
		}                                                    \
	} while (0)

/* --- one of everything that has a thread or a descriptor -------------------------------------- */

static atomic_t done;

static void work_ran(struct work_struct *work)
{
	atomic_inc(&done);
}

static void timer_ran(struct timer_list *timer)
{
	atomic_inc(&done);
}

static void irq_work_ran(struct irq_work *work)
{
	atomic_inc(&done);
}

static void rcu_ran(struct rcu_head *head)
{
	atomic_inc(&done);
}

static DECLARE_WORK(work, work_ran);
static DEFINE_TIMER(timer, timer_ran);
static DEFINE_IRQ_WORK(irq, irq_work_ran);
static struct rcu_head rcu;

/* Returns a buffer's descriptor, which stays open, as everything does but for what ended. */
static int use_everything(void)
{
	struct libdmabuf_machine *machine;
	struct libdmabuf_device *device;
	struct libdmabuf_buffer *buffer;
	struct libdmabuf_attachment *attachment;
	char got[7] = "";
	int fd;

	MUST(!libdmabuf_machine_create("bounce", &machine));
	MUST(!libdmabuf_machine_create("arm", &machine));
	MUST(!libdmabuf_device_add(machine, "device", LIBDMABUF_SNOOPING_DEFAULT, &device));
	MUST(!libdmabuf_buffer_create(3 * 4096, &buffer));
	MUST(!libdmabuf_attach(device, buffer, &attachment));
	MUST(!libdmabuf_map(attachment, LIBDMABUF_READ_WRITE));
	MUST(!libdmabuf_device_write(attachment, 4090, "device", 7));
	MUST(!libdmabuf_device_read(attachment, 4090, got, 7) && !strcmp(got, "device"));
	MUST(!libdmabuf_unmap(attachment));
	MUST(!libdmabuf_cpu_begin(buffer, LIBDMABUF_READ_WRITE));
	MUST(!libdmabuf_cpu_end(buffer, LIBDMABUF_READ_WRITE));
	fd = libdmabuf_buffer_fd(buffer);
	MUST(fd >= 0);

	atomic_set(&done, 0);
	queue_work(system_wq, &work);
	mod_timer(&timer, jiffies + 1);
	irq_work_queue(&irq);
	call_rcu(&rcu, rcu_ran);
	for (int i = 0; atomic_read(&done) < 4 && i < 10000; i++)
		usleep(1000);
	MUST(atomic_read(&done) == 4);
	return fd;
}

/* --- what a process has ----------------------------------------------------------------------- */

static int entries(const char *folder)
{
	DIR *dir = opendir(folder);
	int count = -2; /* . and .. */

	MUST(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Without the one that counts. */
static int descriptors(void)
{
	return entries("/proc/self/fd") - 1;
}

static int threads(void)
{
	return entries("/proc/self/task");
}

struct dispositions {
	struct sigaction of[65];
	sigset_t mask;
};

static void look_at_signals(struct dispositions *signals)
{
	memset(signals, 0, sizeof(*signals));
	for (int s = 1; s < 65; s++)
		sigaction(s, NULL, &signals->of[s]);
	sigprocmask(SIG_SETMASK, NULL, &signals->mask);
}

static bool same_signals(const struct dispositions *a, const struct dispositions *b)
{
	for (int s = 1; s < 65; s++)
		if (a->of[s].sa_handler != b->of[s].sa_handler ||
		    a->of[s].sa_flags != b->of[s].sa_flags)
			return false;
	for (int s = 1; s < 65; s++)
		if (sigismember(&a->mask, s) != sigismember(&b->mask, s))
			return false;
	return true;
}

static bool file_has(const char *path, const char *what)
{
	FILE *file = fopen(path, "r");
	char line[512];
	bool found = false;

	MUST(file);
	while (fgets(line, sizeof(line), file))
		found |= !!strstr(line, what);
	fclose(file);
	return found;
}

static void child_first(void)
{
	struct dispositions before, now;
	int own = threads(); /* the thread sanitizer has one of its own */

	look_at_signals(&before);
	MUST(own <= 2);
	MUST(descriptors() == 3);
	MUST(!file_has("/proc/self/maps", "memfd:"));
	MUST(libdmabuf_version() && libdmabuf_machine_name(0) && libdmabuf_error_text(-EINVAL));
	MUST(descriptors() == 3 && threads() == own);

	for (int round = 0; round < 2; round++) {
		use_everything();
		/* what counts can see a thread, a descriptor and memory */
		MUST(threads() > own && descriptors() > 3);
		MUST(file_has("/proc/self/maps", "memfd:"));
		look_at_signals(&now);
		MUST(same_signals(&before, &now));
		MUST(!libdmabuf_fini());
		MUST(threads() == own && descriptors() == 3);
		MUST(!file_has("/proc/self/maps", "memfd:"));
	}
	look_at_signals(&now);
	MUST(same_signals(&before, &now));
	signal(SIGUSR1, SIG_IGN);
	look_at_signals(&now);
	MUST(!same_signals(&before, &now));
}

/* --- signals ---------------------------------------------------------------------------------- */

static pid_t main_thread;
static atomic_t on_main, elsewhere;

static void count_signal(int signal)
{
	atomic_inc(gettid() == main_thread ? &on_main : &elsewhere);
}

static void *wait_for_signals(void *stop)
{
	while (!READ_ONCE(*(bool *)stop))
		usleep(1000);
	return NULL;
}

/* SIGKILL, SIGSTOP and two of glibc's own cannot be blocked. */
#define CAN_BE_BLOCKED (~0ull & ~(1ull << (SIGKILL - 1)) & ~(1ull << (SIGSTOP - 1)) & ~(3ull << 31))

/* How many threads but the caller and those in @except do not block all signals. */
static int open_to_signals(const char *except)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int count = 0;

	MUST(dir);
	while ((entry = readdir(dir))) {
		unsigned long long blocked = 0;
		char path[300], line[256];
		FILE *status;

		if (entry->d_name[0] == '.' || atoi(entry->d_name) == gettid() ||
		    strstr(except, entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		status = fopen(path, "r");
		if (!status)
			continue;
		while (fgets(line, sizeof(line), status))
			sscanf(line, "SigBlk: %llx", &blocked);
		fclose(status);
		count += (blocked & CAN_BE_BLOCKED) != CAN_BE_BLOCKED;
	}
	closedir(dir);
	return count;
}

static void child_signals(void)
{
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = SA_RESTART };
	struct dirent *entry;
	char sanitizers[300] = "-";
	bool stop = false;
	pthread_t open;
	sigset_t some;
	DIR *dir;

	main_thread = gettid();
	dir = opendir("/proc/self/task");
	MUST(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != main_thread)
			snprintf(sanitizers, sizeof(sanitizers), "%s", entry->d_name);
	closedir(dir);
	use_everything();
	MUST(threads() > 2);
	MUST(open_to_signals(sanitizers) == 0);

	/* With the main thread's ears shut, nobody takes it. */
	MUST(!sigaction(SIGUSR1, &action, NULL));
	sigemptyset(&some);
	sigaddset(&some, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &some, NULL);
	for (int i = 0; i < 100; i++) {
		kill(getpid(), SIGUSR1);
		usleep(100);
	}
	MUST(atomic_read(&on_main) + atomic_read(&elsewhere) == 0);
	pthread_sigmask(SIG_UNBLOCK, &some, NULL);
	for (int i = 0; i < 100; i++)
		kill(getpid(), SIGUSR1);
	MUST(atomic_read(&on_main) > 0 && atomic_read(&elsewhere) == 0);

	/* A thread of another kind would have taken it, and would have been seen. */
	MUST(!pthread_create(&open, NULL, wait_for_signals, &stop));
	for (int i = 0; open_to_signals(sanitizers) != 1 && i < 10000; i++)
		usleep(1000); /* it starts with all blocked */
	MUST(open_to_signals(sanitizers) == 1);
	pthread_sigmask(SIG_BLOCK, &some, NULL);
	kill(getpid(), SIGUSR1);
	for (int i = 0; !atomic_read(&elsewhere) && i < 10000; i++)
		usleep(1000);
	MUST(atomic_read(&elsewhere) == 1);
	WRITE_ONCE(stop, true);
	pthread_join(open, NULL);
	MUST(!libdmabuf_fini());
}

/* --- fork ------------------------------------------------------------------------------------- */

static int status_of(pid_t pid)
{
	int status = -1;

	MUST(waitpid(pid, &status, 0) == pid);
	return status;
}

static int start_and_end(void *stop)
{
	while (!kthread_should_stop()) {
		struct libdmabuf_buffer *buffer;
		int fd;

		MUST(!libdmabuf_buffer_create(8192, &buffer));
		fd = libdmabuf_buffer_fd(buffer);
		MUST(fd >= 0 && !libdmabuf_fd_close(fd));
		libdmabuf_buffer_close(buffer);
	}
	return 0;
}

static void child_fork(void)
{
	int own = threads(), fd = use_everything(), rounds = ktap_long ? 300 : 30;
	struct libdmabuf_buffer *buffer;
	struct task_struct *busy;
	pid_t pid;

	/* fini closes what was inherited, as often as it is called, and starts no thread */
	pid = fork();
	if (!pid) {
		MUST(!libdmabuf_fini() && descriptors() == 3 && threads() == 1);
		MUST(!file_has("/proc/self/maps", "memfd:"));
		MUST(!libdmabuf_fini() && descriptors() == 3 && threads() == 1);
		_exit(0);
	}
	MUST(!status_of(pid));

	/* an exec needs no fini: no descriptor outlives it */
	pid = fork();
	if (!pid) {
		MUST(descriptors() > 3);
		execl("/proc/self/exe", "process-test", "--child", "exec", NULL);
		_exit(2);
	}
	MUST(!status_of(pid));

	/* whatever another thread was in the midst of */
	busy = kthread_run(start_and_end, NULL, "busy");
	MUST(!IS_ERR(busy));
	for (int i = 0; i < rounds; i++) {
		pid = fork();
		if (!pid) {
			alarm(20);
			MUST(!libdmabuf_fini() && descriptors() == 3);
			_exit(0);
		}
		MUST(!status_of(pid));
	}
	kthread_stop(busy);

	/* and the parent has noticed nothing */
	MUST(!libdmabuf_buffer_import(fd, &buffer));
	MUST(!libdmabuf_cpu_begin(buffer, LIBDMABUF_READ));
	MUST(!strcmp((char *)libdmabuf_buffer_vaddr(buffer, 4090, NULL), "device"));
	MUST(!libdmabuf_cpu_end(buffer, LIBDMABUF_READ));
	MUST(!libdmabuf_fini() && threads() == own && descriptors() == 3);
}

static void child_exec(void)
{
	MUST(descriptors() == 3);
}

/* --- kernels that refuse ---------------------------------------------------------------------- */

/* The last call of Linux 5.10 is process_madvise(), 440, on both machines. */
#define LAST_OF_5_10 440

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ARGUMENT(n) LOAD(args[n])
/* Answer @err, or skip both */
#define REFUSE_IF(test, value, err)                      \
	BPF_JUMP(BPF_JMP | test | BPF_K, (value), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (err))

static void install(const struct sock_filter *code, size_t count)
{
	const struct sock_fprog program = { .len = count, .filter = (struct sock_filter *)code };

	MUST(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(CHILD_SKIPS);
}

static void refuse(int nr, int err)
{
	const struct sock_filter code[] = {
		LOAD(nr),
		REFUSE_IF(BPF_JEQ, nr, err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	install(code, ARRAY_SIZE(code));
}

/* What is newer than 5.10: calls by number, and flags of those we make that 5.10 does not know. */
static void become_5_10(void)
{
	const struct sock_filter code[] = {
		LOAD(nr),
		REFUSE_IF(BPF_JGT, LAST_OF_5_10, ENOSYS),
		/* memfd_create: CLOEXEC, ALLOW_SEALING, HUGETLB and its sizes */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 4),
		ARGUMENT(1),
		REFUSE_IF(BPF_JSET, ~(7u | 63u << 26), EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		/* futex: up to FUTEX_CMP_REQUEUE_PI, and two flags */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 5),
		ARGUMENT(1),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 127),
		REFUSE_IF(BPF_JGT, 12, ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		/* madvise: up to MADV_PAGEOUT, and those past 99 */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 5),
		ARGUMENT(2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 99, 2, 0),
		REFUSE_IF(BPF_JGT, 21, EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		/* membarrier: up to the expedited one for restartable sequences, 1 << 8 */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 4),
		ARGUMENT(0),
		REFUSE_IF(BPF_JGT, 1 << 8, EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	install(code, ARRAY_SIZE(code));
}

static void child_linux_5_10(void)
{
	become_5_10();
	/* the filter is there: a call of 5.11, flags of 6.3, 5.14 and 5.14 */
	MUST(syscall(LAST_OF_5_10 + 1, -1, NULL, 0, NULL, NULL, 0) < 0 && errno == ENOSYS);
	MUST(memfd_create("x", 8) < 0 && errno == EINVAL);
	MUST(madvise(NULL, 0, 22) < 0 && errno == EINVAL);
	MUST(syscall(SYS_futex, NULL, 13, 0, NULL) < 0 && errno == ENOSYS);
	use_everything();
	MUST(!libdmabuf_fini());
}

/* Memory is the first that is asked of the kernel; what then says why is one line. */
static void buffer_is_refused(void)
{
	struct libdmabuf_buffer *buffer;

	for (int i = 0; i < 3; i++)
		MUST(libdmabuf_buffer_create(4096, &buffer) == -ENOMEM && !buffer);
	MUST(!libdmabuf_fini() && descriptors() == 3);
}

static void child_no_memfd(void)
{
	refuse(SYS_memfd_create, ENOSYS);
	buffer_is_refused();
}

static long page_bytes;

/* In front of the C library's: as the kernel of another machine answers. */
long sysconf(int name)
{
	static long (*real)(int name);

	if (name == _SC_PAGESIZE)
		return page_bytes ? page_bytes : (long)getauxval(AT_PAGESZ);
	if (!real)
		real = dlsym(RTLD_NEXT, "sysconf");
	return real(name);
}

static void child_large_pages(void)
{
	page_bytes = 65536;
	buffer_is_refused();
}

static void child_no_membarrier(void)
{
	refuse(SYS_membarrier, ENOSYS);
	synchronize_rcu();
}

static void child_no_process_vm(void)
{
	static const int calls[] = { SYS_process_vm_readv, SYS_process_vm_writev };
	char *pages, from[2 * 4096 + 50], to[sizeof(from)];

	for (int i = 0; i < 2; i++)
		refuse(calls[i], i ? ENOSYS : EPERM);
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = i * 31 >> 3;
	MUST(!copy_from_user(to, from, sizeof(to)) && !memcmp(to, from, sizeof(to)));
	memset(to, 0, sizeof(to));
	MUST(!copy_to_user(to, from, sizeof(to)) && !memcmp(to, from, sizeof(to)));

	/* up to the first byte that is not there */
	pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(pages != MAP_FAILED && !munmap(pages + 2 * 4096, 4096));
	memcpy(pages, from, 2 * 4096);
	MUST(copy_from_user(to, pages + 10, 2 * 4096) == 10);
	MUST(!memcmp(to, from + 10, 2 * 4096 - 10) && !to[2 * 4096 - 1]);
	MUST(copy_to_user(pages + 10, from, 2 * 4096) == 10);
	MUST(!memcmp(pages + 10, from, 2 * 4096 - 10));
	MUST(copy_from_user(to, NULL, 1) == 1 && copy_to_user(NULL, from, 1) == 1);
	MUST(descriptors() == 3);
}

/* --- cases ------------------------------------------------------------------------------------ */

static const struct child {
	const char *name;
	void (*run)(void);
} children[] = {
	{ "first", child_first },
	{ "signals", child_signals },
	{ "fork", child_fork },
	{ "exec", child_exec },
	{ "linux-5.10", child_linux_5_10 },
	{ "no-memfd", child_no_memfd },
	{ "large-pages", child_large_pages },
	{ "no-membarrier", child_no_membarrier },
	{ "no-process-vm", child_no_process_vm },
};

/*
 * Starts child @name, which ends with status 0, or by @signal.  Sets @said to what it said, cut to
 * @size.  Returns false if it was skipped.
 */
static bool run(struct ktap *t, const char *name, int signal, char *said, size_t size)
{
	int ends[2], status = -1;
	size_t have = 0;
	ssize_t got;
	pid_t pid;

	said[0] = '\0';
	if (!KT_CHECK(t, !pipe(ends)))
		return false;
	pid = fork();
	if (!KT_CHECK(t, pid >= 0))
		return false;
	if (!pid) {
		dup2(ends[1], 2);
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
		execl("/proc/self/exe", "process-test", "--child", name,
		      ktap_long ? "--long" : NULL, NULL);
		_exit(NO_CHILD);
	}
	close(ends[1]);
	while ((got = read(ends[0], said + have, size - 1 - have)) > 0)
		have += got;
	said[have] = '\0';
	close(ends[0]);
	KT_EQ(t, waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPS) {
		ktap_skip(t, "no seccomp filters here");
		return false;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_CHILD) {
		ktap_skip(t, "this program cannot be started by itself: an emulator runs it");
		return false;
	}
	if (signal)
		ktap_check(t, WIFSIGNALED(status) && WTERMSIG(status) == signal, __FILE__, __LINE__,
			   "%s: status %#x, not signal %d: %s", name, status, signal, said);
	else
		ktap_check(t, status == 0, __FILE__, __LINE__, "%s: status %#x: %s", name, status,
			   said);
	return true;
}

static void silent(struct ktap *t, const char *name)
{
	char said[2000];

	if (run(t, name, 0, said, sizeof(said)))
		ktap_check(t, !said[0], __FILE__, __LINE__, "%s says: %s", name, said);
}

/* One line, with @part in it. */
static void one_line(struct ktap *t, const char *name, int signal, const char *part)
{
	char said[2000], *end;

	if (!run(t, name, signal, said, sizeof(said)))
		return;
	end = strchr(said, '\n');
	ktap_check(t, end && !end[1] && strstr(said, part), __FILE__, __LINE__,
		   "%s says: %s, not one line with: %s", name, said, part);
}

static void nothing_before_first_use_and_after_fini(struct ktap *t)
{
	silent(t, "first");
}

static void no_signal_is_taken(struct ktap *t)
{
	silent(t, "signals");
}

static void a_child_ends_it_or_execs(struct ktap *t)
{
	silent(t, "fork");
}

static void runs_on_linux_5_10(struct ktap *t)
{
	silent(t, "linux-5.10");
}

static void without_memfd_one_line(struct ktap *t)
{
	one_line(t, "no-memfd", 0, "libdmabuf gets no memory: memfd_create: ");
}

static void with_large_pages_one_line(struct ktap *t)
{
	one_line(t, "large-pages", 0, "libdmabuf needs pages of 4096 bytes, here they have 65536");
}

static void without_membarrier_one_line(struct ktap *t)
{
	one_line(t, "no-membarrier", SIGABRT, "libdmabuf: this system has no membarrier()");
}

static void without_process_vm_copies_fail_as_well(struct ktap *t)
{
	silent(t, "no-process-vm");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(nothing_before_first_use_and_after_fini),
		KTAP_CASE(no_signal_is_taken),
		KTAP_CASE(a_child_ends_it_or_execs),
		KTAP_CASE(runs_on_linux_5_10),
		KTAP_CASE(without_memfd_one_line),
		KTAP_CASE(with_large_pages_one_line),
		KTAP_CASE(without_membarrier_one_line),
		KTAP_CASE(without_process_vm_copies_fail_as_well),
	};

	if (argc < 3 || strcmp(argv[1], "--child"))
		return ktap_main(argc, argv, cases, sizeof(cases) / sizeof(*cases));
	ktap_long = argc > 3;
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		if (!strcmp(argv[2], children[i].name)) {
			children[i].run();
			return 0;
		}
	return 2;
}
