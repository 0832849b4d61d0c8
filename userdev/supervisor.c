/* SPDX-License-Identifier: MIT */
/*
 * supervisor.c - see supervisor.h and run.h
 */
#include <errno.h>
#include <fcntl.h>
#include <libdmabuf.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userdev/filter.h"
#include "userdev/hints.h"
#include "userdev/listener.h"
#include "userdev/readiness.h"
#include "userdev/remote.h"
#include "userdev/shared.h"
#include "userdev/supervisor.h"
#include "userdev/usage.h"

/* --- the program ------------------------------------------------------------------------------ */

static void send_fd(int socket, int fd)
{
	char room[CMSG_SPACE(sizeof(fd))] __aligned(8) = "", byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
		_exit(RUN_FAILED);
}

/* A descriptor, or -errno: what the other side failed with, -EPIPE if it said nothing. */
static int receive_fd(int socket)
{
	char room[CMSG_SPACE(sizeof(int))] __aligned(8) = "";
	int said = 0, fd;
	struct iovec part = { &said, sizeof(said) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = room,
				  .msg_controllen = sizeof(room) };
	const struct cmsghdr *header;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0)
		return -EPIPE;
	header = CMSG_FIRSTHDR(&message);
	if (!header)
		return said;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

const char *run_preload(void)
{
	static char path[PATH_MAX + sizeof("/libdmabuf-preload.so")];
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX);

	while (len > 0 && path[len - 1] != '/')
		len--;
	strcpy(path + max_t(ssize_t, len, 0), "libdmabuf-preload.so");
	if (!access(path, R_OK))
		return path;
	return access(RUN_PRELOAD, R_OK) ? NULL : RUN_PRELOAD;
}

static void preload(const char *library)
{
	const char *others = getenv("LD_PRELOAD");
	char *both;

	if (!library)
		return;
	if (others && *others && asprintf(&both, "%s:%s", library, others) > 0)
		setenv("LD_PRELOAD", both, 1);
	else
		setenv("LD_PRELOAD", library, 1);
}

/* In the child. */
static void become(const struct supervisor *s, char *const *argv, int socket)
{
	int listener = filter_install(s->options->stats || s->options->strict);
	char byte;

	if (listener < 0) {
		if (write(socket, &listener, sizeof(listener)) != sizeof(listener))
			_exit(RUN_FAILED);
		_exit(RUN_FAILED);
	}
	send_fd(socket, listener);
	close(listener);
	if (read(socket, &byte, 1) != 1)
		_exit(RUN_FAILED);
	setenv(SHARED_VARIABLE, s->folder, 1);
	preload(s->options->preload);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	fprintf(stderr, "dmabuf run: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE);
}

static const char *why_no_filter(int error)
{
	switch (-error) {
	case EBUSY:
		return "this process is supervised already: a run inside a run has the outer one's "
		       "devices";
	case ENOSYS:
	case EINVAL:
		return "the system has no seccomp user notification (Linux 5.14 or later, "
		       "CONFIG_SECCOMP_FILTER)";
	case EPIPE:
		return "the program ended before it began";
	default:
		return strerror(-error);
	}
}

/* --- devices ---------------------------------------------------------------------------------- */

static int touch(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int make_folder(struct supervisor *s)
{
	static const char *const places[] = { "/dev/shm", "/tmp", "/var/tmp" };
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(s->folder, sizeof(s->folder), "%s/dmabuf-run.%d.XXXXXX", places[i],
			 getpid());
		if (!mkdtemp(s->folder))
			continue;
		snprintf(path, sizeof(path), "%s/dma_heap", s->folder);
		if (!mkdir(path, 0700))
			return 0;
		rmdir(s->folder);
	}
	s->folder[0] = '\0';
	fprintf(stderr, "dmabuf run: no folder can be made in /dev/shm, /tmp or /var/tmp: %s\n",
		strerror(errno));
	return -errno;
}

static void remove_folder(struct supervisor *s)
{
	char path[128];

	if (!s->folder[0])
		return;
	for (unsigned int i = 0; i < s->heap_count; i++) {
		snprintf(path, sizeof(path), "%s/dma_heap/%s", s->folder, s->heaps[i].name);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/dma_heap", s->folder);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/udmabuf", s->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/sw_sync", s->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/" SHARED_FILE, s->folder);
	unlink(path);
	rmdir(s->folder);
}

static int add_device(struct supervisor *s, enum object_kind kind, const char *name,
		      unsigned int heap)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	ret = touch(path);
	return ret ?: object_add_device(&s->objects, kind, path, heap);
}

/* @text is NAME or NAME:BYTES; a heap that is there already only gets the limit. */
static int add_heap(struct supervisor *s, const char *text)
{
	size_t len = strcspn(text, ":");
	u64 limit = text[len] ? strtoull(text + len + 1, NULL, 10) : ~0ULL;
	struct run_heap *heap;
	char path[64];

	for (unsigned int i = 0; i < s->heap_count; i++) {
		heap = &s->heaps[i];
		if (strlen(heap->name) == len && !strncmp(heap->name, text, len)) {
			heap->budget.limit = limit;
			return 0;
		}
	}
	if (s->heap_count == SUPERVISOR_HEAPS)
		return -ENOSPC;
	heap = &s->heaps[s->heap_count++];
	strscpy(heap->name, text, min(len + 1, sizeof(heap->name)));
	heap->budget = (struct memfd_budget){ .limit = limit, .whole = &s->budget };
	snprintf(path, sizeof(path), "dma_heap/%s", heap->name);
	return add_device(s, OBJECT_HEAP, path, s->heap_count - 1);
}

/* Only for who looks at it: each open is a timeline of its own. */
static int touch_sw_sync(struct supervisor *s)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/sw_sync", s->folder);
	return touch(path);
}

static void object_ends(struct objects *objects, struct object *object)
{
	struct supervisor *s = container_of(objects, struct supervisor, objects);

	if (object->kind == OBJECT_BUFFER) {
		readiness_end(s, object);
		hints_end(s, object);
		usage_end(s, object);
	} else if (object->kind == OBJECT_TIMELINE) {
		hints_timelines(s, -1);
		s->fences_moved = true;
	}
}

static int make_devices(struct supervisor *s)
{
	int ret = objects_init(&s->objects, s->folder);

	s->objects.on_end = object_ends;
	if (!ret)
		ret = hints_init(s,
				 !s->options->stats && !s->options->strict && !s->options->trace);
	if (!ret)
		ret = add_device(s, OBJECT_UDMABUF, "udmabuf", 0);
	if (!ret)
		ret = touch_sw_sync(s);
	if (!ret)
		ret = add_heap(s, "system");
	if (!ret)
		ret = add_heap(s, "reserved");
	for (size_t i = 0; !ret && s->options->heaps && s->options->heaps[i]; i++)
		ret = add_heap(s, s->options->heaps[i]);
	return ret;
}

static void remove_devices(struct supervisor *s)
{
	if (s->objects.all.next)
		objects_fini(&s->objects);
	hints_fini(s);
	remove_folder(s);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void tell_width(struct supervisor *s, const struct call *call)
{
	if (!s->told_width)
		fprintf(stderr,
			"dmabuf run: process %d is a 32-bit or x32 program: it runs, without "
			"devices\n",
			call->tid);
	s->told_width = true;
}

static void serve_mmap(struct supervisor *s, const struct call *call)
{
	const struct memfd_piece *pieces;
	struct object *object = NULL;
	struct dma_buf *dmabuf;
	unsigned int count;
	struct stat st;
	int ended, ret;

	if (!call_stat(call, (int)call->args[4], &st))
		object = objects_find(&s->objects, &st);
	if (!object || object->kind != OBJECT_BUFFER) {
		call_proceed(call);
		return;
	}
	dmabuf = object_buffer(object);
	if (call->args[5] > dmabuf->size || call->args[1] > dmabuf->size - call->args[5]) {
		call_return(call, -EINVAL);
		return;
	}
	s->done.maps++;
	usage_map(s, call, object);
	usage_trace(s, call, object, "mmap", 0);
	if (object->fd_is_memory) {
		call_proceed(call);
		return;
	}
	pieces = memfd_buffer_pieces(dmabuf, &count);
	ended = -1;
	ret = remote_mmap(call, pieces, count, dmabuf->size, &ended);
	if (ended != -1 && call->tid == s->program) {
		s->status = ended;
		s->ended = true;
	}
	if (!ret)
		return;
	/* Of one that is ending the system says the same. */
	if (ret == -EPERM && !s->told_ptrace && call_waits(call)) {
		fprintf(stderr,
			"dmabuf run: process %d cannot map a udmabuf: it has a debugger, or the "
			"system allows none (ptrace)\n",
			call->tid);
		s->told_ptrace = true;
	}
	call_return(call, ret);
}

/* Whoever waited for a fence need not any more. */
void fences_settle(struct supervisor *s)
{
	if (!s->fences_moved)
		return;
	s->fences_moved = false;
	readiness_update(s);
	serve_waits(s);
}

static void serve(struct supervisor *s)
{
	struct call call;

	if (listener_hear(s->listener, &call))
		return;
	if (!filter_native(call.arch, call.nr)) {
		tell_width(s, &call);
		call_proceed(&call);
	} else if (call.nr == SYS_ioctl) {
		serve_ioctl(s, &call);
	} else if (call.nr == SYS_mmap) {
		serve_mmap(s, &call);
	} else if (call.nr == SYS_epoll_ctl) {
		serve_epoll(s, &call);
	} else if (call.nr == SYS_exit_group) {
		objects_reap(&s->objects);
		usage_exit(s, &call);
		call_proceed(&call);
	} else {
		serve_path(s, &call);
	}
	fences_settle(s);
}

/* What was sent to us is for the program; what the terminal sent it has, too. */
static void pass_on(pid_t program, const struct signalfd_siginfo *signal)
{
	if (signal->ssi_code == SI_QUEUE && signal->ssi_int == RUN_KILL)
		kill(program, SIGKILL);
	else if (signal->ssi_code <= 0)
		kill(program, signal->ssi_signo);
}

/* Ended children, orphans too. */
static void collect(struct supervisor *s)
{
	int how;
	pid_t pid;

	while ((pid = waitpid(-1, &how, WNOHANG | WUNTRACED)) > 0) {
		if (pid != s->program)
			continue;
		if (WIFSTOPPED(how)) {
			/* As its shell expects; SIGCONT goes to both. */
			raise(SIGSTOP);
			continue;
		}
		s->status = how;
		s->ended = true;
	}
}

static void loop(struct supervisor *s, int signals)
{
	struct pollfd wait[] = {
		{ .fd = s->listener, .events = POLLIN },
		{ .fd = s->objects.ends, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	struct signalfd_siginfo signal;
	bool told = false;
	int how;

	for (;;) {
		bool doubtful = !list_empty(&s->objects.doubtful);
		bool later = doubtful || !list_empty(&s->waits) || (s->ended && !told);
		int count = poll(wait, ARRAY_SIZE(wait), later ? 1000 : -1);

		if (wait[2].revents & POLLIN && read(signals, &signal, sizeof(signal)) > 0) {
			if (signal.ssi_signo != SIGCHLD)
				pass_on(s->program, &signal);
			collect(s);
		}
		if (wait[1].revents & POLLIN || (!count && doubtful)) {
			objects_reap(&s->objects);
			s->fences_moved = true;
		}
		if (!count)
			s->fences_moved = true;
		fences_settle(s);
		if (wait[0].revents & POLLIN)
			serve(s);
		if (wait[0].revents & POLLHUP) {
			/* It has let the filter go, and may not be a zombie yet. */
			if (!s->ended && waitpid(s->program, &how, 0) == s->program)
				s->status = how;
			return;
		}
		if (!count && s->ended && !told) {
			fprintf(stderr,
				"dmabuf run: the program has ended; waiting for processes that "
				"it left behind, which use the devices\n");
			told = true;
		}
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static int block_signals(sigset_t *before)
{
	static const int passed[] = { SIGCHLD, SIGTERM, SIGHUP,  SIGINT,
				      SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		sigaddset(&set, passed[i]);
	sigprocmask(SIG_BLOCK, &set, before);
	/* A pipe whose reader is gone is no matter of the program's. */
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* End as the program did. */
static int end_likewise(int status)
{
	const struct rlimit none = {};
	sigset_t set;

	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	fflush(NULL);
	setrlimit(RLIMIT_CORE, &none);
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static u64 half_of_memory(void)
{
	return (u64)sysconf(_SC_PHYS_PAGES) / 2 * (u64)sysconf(_SC_PAGESIZE);
}

/* As many as the system lets us have: each buffer of a program is one here. */
static void many_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int supervise(struct supervisor *s, int socket, int signals)
{
	unsigned int found;
	int ret;

	s->listener = receive_fd(socket);
	listener_prefer_here(s->listener);
	if (s->listener < 0) {
		fprintf(stderr, "dmabuf run: %s\n", why_no_filter(s->listener));
		remove_folder(s);
		return RUN_FAILED;
	}
	/* Nobody looks into this process through /proc, and it is the one who collects orphans. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	many_descriptors();
	/* A lease that is asked back; see object.h, OB2. */
	signal(SIGIO, SIG_IGN);
	/* A buffer larger than files may be is an error of the call that wants it. */
	signal(SIGXFSZ, SIG_IGN);
	/* No device maps here, and a program that forgets an END is its own business, as in Linux. */
	libdmabuf_policy_set(LIBDMABUF_POLICY_REMAP);
	ret = make_devices(s);
	if (ret) {
		fprintf(stderr, "dmabuf run: the devices cannot be made: %s\n", strerror(-ret));
		s->status = RUN_FAILED << 8;
	} else if (write(socket, "", 1) == 1) {
		loop(s, signals);
	}
	close(s->listener);
	s->listener = -1;
	serve_waits(s);
	readiness_end(s, NULL);
	remove_devices(s);
	libdmabuf_fini();
	found = usage_fini(s);
	if (found && s->options->strict && !s->status)
		return RUN_BROKEN_RULES;
	return end_likewise(s->status);
}

int run_program(const struct run_options *options, char *const *argv)
{
	struct supervisor s = { .options = options, .listener = -1 };
	int sockets[2], signals, ret;
	sigset_t before;
	pid_t program;

	INIT_LIST_HEAD(&s.waits);
	INIT_LIST_HEAD(&s.watches);
	INIT_LIST_HEAD(&s.pending);
	INIT_LIST_HEAD(&s.report);
	s.budget.limit = options->limit ?: half_of_memory();
	if (usage_init(&s) || make_folder(&s))
		return RUN_FAILED;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets)) {
		fprintf(stderr, "dmabuf run: %s\n", strerror(errno));
		remove_folder(&s);
		return RUN_FAILED;
	}
	signals = block_signals(&before);
	program = fork();
	if (!program) {
		close(sockets[0]);
		sigprocmask(SIG_SETMASK, &before, NULL);
		become(&s, argv, sockets[1]);
	}
	close(sockets[1]);
	if (program < 0 || signals < 0) {
		fprintf(stderr, "dmabuf run: %s\n", strerror(errno));
		ret = RUN_FAILED;
	} else {
		s.program = program;
		ret = supervise(&s, sockets[0], signals);
	}
	close(sockets[0]);
	close(signals);
	return ret;
}
