/* SPDX-License-Identifier: MIT */
/*
 * pipeline.c - `dmabuf pipeline`: the main job on the command line
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/err.h>
#include <linux/ktime.h>

#include "checker/report/html.h"
#include "checker/report/record.h"
#include "cli/commands.h"
#include "dma/machine.h"
#include "pipeline/compare.h"
#include "pipeline/core.h"
#include "pipeline/input.h"
#include "pipeline/report.h"
#include "pipeline/run.h"
#include "pipeline/view.h"

#define BUFFERS_DEFAULT 4
#define PAGE_EVENTS 65536 /* of those a page is still easy to look at */
#define PAGE_TEXT_BYTES 1024
#define BUFFERS_MOST 64
#define PROGRESS_TERMINAL_NS 100000000LL /* no more often than this, in place */
#define PROGRESS_LINE_NS 10000000000LL   /* elsewhere, a line each */

struct options {
	struct run_config run;
	const char *input, *out, *json, *png, *report, *heap, *core[COMPARE_CORES];
	const struct rival *cores[COMPARE_CORES];
	unsigned int nr_cores;
	bool compare, fault, seed, half;
};

static const char help[] =
	"usage: dmabuf pipeline [OPTIONS] INPUT|-\n"
	"\n"
	"Sends every frame of a YUV4MPEG2 video through a chain of devices that share buffers:\n"
	"  camera -> isp (sharpens in place) -> CPU (draws the frame number) -> gpu (scales to "
	"half) -> encoder\n"
	"and compares what comes out, byte by byte, with a plain CPU implementation of the same "
	"filters.\n"
	"\n"
	"  --machine NAME     the computer (below); default pc\n"
	"  --policy NAME      cached: keep mappings and move only bytes that must move (default)\n"
	"                     remap: map for every access, as Linux from 6.15 on\n"
	"  --camera STYLE     job: map for each frame (default); keep: map once; reimport: attach "
	"for each frame\n"
	"  --half PLACE       where the encoder reads what the gpu wrote: vram, the gpu's memory\n"
	"                     (default, if it reaches that; not on bounce), or system\n"
	"  --vram SIZE        all buffers are the gpu's, whose memory has SIZE bytes (K, M and G "
	"may follow):\n"
	"                     they move there when it works on them, and away for the others, or "
	"when others\n"
	"                     need the room; the encoder of --half system maps for each frame\n"
	"  --move-every N     and every N frames all move that nobody uses just then; only with "
	"--vram\n"
	"  --heap NAME        who makes the full-size buffers: system (default), or Linux's own "
	"drivers,\n"
	"                     unchanged: linux-system, linux-cma, linux-udmabuf; made by "
	"upstream/build\n"
	"                     in a source tree, of Debian's linux-source-6.12\n"
	"  --coherent DEVICE  this device snoops the caches: camera, isp, gpu or encoder\n"
	"  --compare          every machine, policy and style: a grid of verdicts, then the costs "
	"side by side\n"
	"  --core NAME        run on Linux 6.12's own core, on the same devices: linux-6.12, with\n"
	"                     -notify (CONFIG_DMABUF_MOVE_NOTIFY), -cached (heaps let Linux keep "
	"their\n"
	"                     mappings) or -cached-notify; made by upstream/build in a source "
	"tree, "
	"or\n"
	"                     the path of one; with --compare as another policy, twice at most\n"
	"  --frames N         stop after N frames\n"
	"  --buffers N        frames under way at once, 1 to 64; default 4\n"
	"  --out FILE|-       write the result as YUV4MPEG2; with - all text goes to standard "
	"error\n"
	"  --json FILE        write verdict and counted costs as JSON; with --compare a list of "
	"runs\n"
	"  --png FILE         write two pictures side by side, as it came out and as it should "
	"be:\n"
	"                     of the first wrong frame, else of the last one\n"
	"  --report FILE      write a page to look at: who used which buffer when, who held its "
	"newest "
	"bytes,\n"
	"                     and each transfer; with --frames 10, say; on our own core and heaps "
	"only\n"
	"  --fault skip-sync  drop one cache operation, the encoder's in the middle frame, on a "
	"machine whose caches\n"
	"                     evict lines at random.  Where no device snoops, the gpu is made to "
	"(--coherent gpu),\n"
	"                     so that a whole frame crosses the caches before the encoder reads "
	"it; implies\n"
	"                     --half system, for nobody caches a device's memory\n"
	"  --seed N           which lines are evicted then; default 1, only with --fault\n"
	"\n"
	"What the counted costs mean: docs/coherence.md.\n"
	"Exit status: 0 all bytes are right; 1 some are wrong, the first is named; 2 usage, input "
	"or output.\n"
	"With --compare it speaks of this program's own core only.\n"
	"\n"
	"Examples:\n"
	"  ffmpeg -i film.mp4 -f yuv4mpegpipe - | dmabuf pipeline --compare --frames 50 -\n"
	"  dmabuf pipeline --machine arm --out small.y4m tests/clip/clip.y4m\n"
	"  dmabuf pipeline --machine arm --frames 10 --report frames.html tests/clip/clip.y4m\n"
	"  dmabuf pipeline --machine arm --fault skip-sync --png wrong.png tests/clip/clip.y4m\n"
	"\n"
	"Machines:\n";

static int usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int usage_error(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "dmabuf pipeline: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "; see dmabuf pipeline --help\n");
	return -1;
}

static int failed(const char *what)
{
	fprintf(stderr, "dmabuf pipeline: %s\n", what);
	return EXIT_FAILED;
}

static int failed_file(const char *path, int err)
{
	fprintf(stderr, "dmabuf pipeline: %s: %s\n", path, strerror(err));
	return EXIT_FAILED;
}

static void print_help(void)
{
	fputs(help, stdout);
	for (const struct machine_type *type = machine_types; type->name; type++)
		printf("  %-10s %s\n", type->name, type->like);
}

/* --- options ---------------------------------------------------------------------------------- */

static int parse_number(const char *option, const char *text, u64 least, u64 most, u64 *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (!errno && end != text && !*end && text[0] != '-' && *number >= least && *number <= most)
		return 0;
	if (most == UINT64_MAX)
		return usage_error("%s: '%s' is not a number from %llu up", option, text,
				   (unsigned long long)least);
	return usage_error("%s: '%s' is not a number from %llu to %llu", option, text,
			   (unsigned long long)least, (unsigned long long)most);
}

/* A number of bytes, with K, M or G behind it or nothing. */
static int parse_size(const char *option, const char *text, size_t *size)
{
	static const char units[] = "KMG";
	char *end;
	u64 number;
	const char *unit;
	unsigned int shift = 0;

	errno = 0;
	number = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unit - units + 1);
		end++;
	}
	if (errno || end == text || *end || text[0] == '-' || !number ||
	    number > (1ULL << 40) >> shift)
		return usage_error("%s: '%s' is not a size such as 4096, 64K, 16M or 1G", option,
				   text);
	*size = number << shift;
	return 0;
}

static int parse_machine(const char *name, struct run_config *run)
{
	char names[256];
	size_t used = 0;

	run->machine = machine_type_find(name);
	if (run->machine)
		return 0;
	for (const struct machine_type *type = machine_types; type->name; type++)
		used += snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
				 type->name);
	return usage_error("--machine: '%s' is none of %s", name, names);
}

static int parse_policy(const char *name, struct run_config *run)
{
	run->remap = !strcmp(name, "remap");
	if (!run->remap && strcmp(name, "cached"))
		return usage_error("--policy: '%s' is neither cached nor remap", name);
	return 0;
}

static int parse_camera(const char *name, struct run_config *run)
{
	for (unsigned int i = 0; i < CAMERA_STYLES; i++)
		if (!strcmp(name, camera_style_names[i])) {
			run->camera = i;
			return 0;
		}
	return usage_error("--camera: '%s' is not job, keep or reimport", name);
}

static int parse_half(const char *name, struct run_config *run)
{
	for (unsigned int i = 0; i < STAGE_HALVES; i++)
		if (!strcmp(name, stage_half_names[i])) {
			run->half = i;
			return 0;
		}
	return usage_error("--half: '%s' is neither vram nor system", name);
}

static int parse_option(int option, const char *value, struct options *options)
{
	struct run_config *run = &options->run;
	u64 number;

	switch (option) {
	case 'm':
		return parse_machine(value, run);
	case 'p':
		return parse_policy(value, run);
	case 'c':
		return parse_camera(value, run);
	case 'l':
		options->half = true;
		return parse_half(value, run);
	case 'd':
		run->coherent = stage_find(value);
		return run->coherent != STAGE_DEVICES
			       ? 0
			       : usage_error("--coherent: '%s' is not camera, isp, gpu or encoder",
					     value);
	case 'v':
		return parse_size("--vram", value, &run->vram);
	case 'x':
		return parse_number("--move-every", value, 1, UINT64_MAX, &run->move_every);
	case 'e':
		options->heap = strcmp(value, "system") ? value : NULL;
		return 0;
	case 'C':
		options->compare = true;
		return 0;
	case 'k':
		if (options->nr_cores == COMPARE_CORES)
			return usage_error("--core: not more than %d", COMPARE_CORES);
		options->core[options->nr_cores++] = value;
		return 0;
	case 'n':
		return parse_number("--frames", value, 1, UINT64_MAX, &run->frames);
	case 'b':
		if (parse_number("--buffers", value, 1, BUFFERS_MOST, &number))
			return -1;
		run->buffers = number;
		return 0;
	case 'o':
		options->out = value;
		return 0;
	case 'j':
		options->json = value;
		return 0;
	case 'g':
		options->png = value;
		return 0;
	case 'r':
		options->report = value;
		return 0;
	case 'f':
		options->fault = true;
		return strcmp(value, "skip-sync")
			       ? usage_error("--fault: '%s' is not skip-sync", value)
			       : 0;
	case 's':
		options->seed = true;
		return parse_number("--seed", value, 1, UINT64_MAX, &run->seed);
	default:
		return -1;
	}
}

static const struct option long_options[] = {
	{ "machine", required_argument, NULL, 'm' }, { "policy", required_argument, NULL, 'p' },
	{ "camera", required_argument, NULL, 'c' },  { "half", required_argument, NULL, 'l' },
	{ "heap", required_argument, NULL, 'e' },    { "coherent", required_argument, NULL, 'd' },
	{ "compare", no_argument, NULL, 'C' },       { "core", required_argument, NULL, 'k' },
	{ "frames", required_argument, NULL, 'n' },  { "buffers", required_argument, NULL, 'b' },
	{ "out", required_argument, NULL, 'o' },     { "json", required_argument, NULL, 'j' },
	{ "png", required_argument, NULL, 'g' },     { "report", required_argument, NULL, 'r' },
	{ "fault", required_argument, NULL, 'f' },   { "seed", required_argument, NULL, 's' },
	{ "vram", required_argument, NULL, 'v' },    { "move-every", required_argument, NULL, 'x' },
	{ "help", no_argument, NULL, 'h' },          {},
};

static int check_options(const struct options *options, bool single, bool policy)
{
	if (!options->input)
		return usage_error("which INPUT? - is standard input");
	if (options->compare && single)
		return usage_error(
			"--compare runs every machine, policy and style; it takes no --machine, "
			"--policy, --camera, --coherent, --out, --png, --report or --fault");
	if (options->nr_cores > 1 && !options->compare)
		return usage_error("--core: only --compare takes more than one");
	if (options->nr_cores && (policy || options->fault))
		return usage_error(
			"--core is another core: it has no --policy, and --fault is for ours");
	if ((options->nr_cores || core_own()) && options->report)
		return usage_error("--report: Linux's own core does not tell what it does");
	if (options->heap && options->report)
		return usage_error(
			"--report: a core with Linux's heaps does not tell what it does");
	if (options->fault && options->half && options->run.half == STAGE_HALF_VRAM)
		return usage_error("--fault drops a cache operation: --half vram has none");
	if (options->run.vram && (options->heap || options->fault))
		return usage_error(
			"--vram: all buffers are the gpu's then; it takes no --heap and no "
			"--fault");
	if (options->run.move_every && !options->run.vram)
		return usage_error("--move-every moves buffers of the gpu's; it needs --vram");
	if (core_own() && policy)
		return usage_error("--policy: this program's core is Linux's own, which has none");
	if (options->seed && !options->fault)
		return usage_error("--seed says which lines --fault skip-sync evicts; it needs it");
	return 0;
}

/* Returns 0; 1 when help was asked for; -1 after an error was printed. */
static int parse_options(int argc, char **argv, struct options *options)
{
	bool single = false, policy = false;
	int option;

	*options = (struct options){
		.run = {
			.machine = &machine_types[0],
			.coherent = STAGE_DEVICES,
			.buffers = BUFFERS_DEFAULT,
			.fault_frame = RUN_NO_FAULT,
			.seed = 1,
			.out_fd = -1,
		},
	};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (option == 'h')
			return 1;
		if (option == ':')
			return usage_error("%s needs a value", argv[optind - 1]);
		if (option == '?')
			return usage_error("unknown option '%s'", argv[optind - 1]);
		if (parse_option(option, optarg, options))
			return -1;
		single |= strchr("mpcdogrf", option) != NULL;
		policy |= option == 'p';
	}
	if (optind < argc)
		options->input = argv[optind++];
	if (optind < argc)
		return usage_error("one INPUT, not also '%s'", argv[optind]);
	return check_options(options, single, policy);
}

/* --- progress --------------------------------------------------------------------------------- */

static ktime_t progress_last;

/* Returns whether it is time to say something, @ns after the last time or the first question. */
static bool progress_due(s64 ns)
{
	ktime_t now = ktime_get();

	if (!progress_last)
		progress_last = now;
	if (ktime_to_ns(ktime_sub(now, progress_last)) < ns)
		return false;
	progress_last = now;
	return true;
}

static void print_progress(const struct run_config *config, u64 frames)
{
	if (config->number)
		fprintf(stderr, "run %u of %u (%s, %s, camera %s), ", config->number, config->of,
			config->machine->name, report_policy(config),
			camera_style_names[config->camera]);
	fprintf(stderr, "frame %llu", (unsigned long long)frames);
}

static void progress_in_place(const struct run_config *config, u64 frames)
{
	if (!progress_due(PROGRESS_TERMINAL_NS))
		return;
	fputc('\r', stderr);
	print_progress(config, frames);
	fputs("\033[K", stderr);
}

static void progress_lines(const struct run_config *config, u64 frames)
{
	if (!progress_due(PROGRESS_LINE_NS))
		return;
	print_progress(config, frames);
	fputc('\n', stderr);
}

static void clear_progress(const struct options *options)
{
	if (options->run.progress == progress_in_place)
		fputs("\r\033[K", stderr);
}

/* --- output ----------------------------------------------------------------------------------- */

static int write_json(const char *path, struct json_object *object)
{
	const char *text =
		object ? json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY) : NULL;
	FILE *file = text ? fopen(path, "w") : NULL;
	int err = text ? errno : ENOMEM;
	bool written = false;

	if (file) {
		errno = 0;
		written = fprintf(file, "%s\n", text) >= 0;
		written = !fclose(file) && written;
		err = errno ? errno : EIO;
	}
	json_object_put(object);
	return written ? EXIT_EXACT : failed_file(path, err);
}

static int run_compare(const struct options *options, struct input *input)
{
	char error[RUN_ERROR_BYTES];
	struct compare compare;
	int status;

	if (compare_run(&compare, &options->run, options->cores, options->nr_cores, input->fd,
			input->name, error)) {
		clear_progress(options);
		status = failed(error);
	} else {
		clear_progress(options);
		compare_print(&compare, stdout);
		status = compare_exact(&compare) ? EXIT_EXACT : EXIT_WRONG;
		if (options->json && write_json(options->json, compare_json(&compare)))
			status = EXIT_FAILED;
	}
	compare_free(&compare);
	return status;
}

static int report(const struct options *options, const struct y4m_format *format,
		  const struct run_result *result)
{
	FILE *text = options->out && !strcmp(options->out, "-") ? stderr : stdout;
	int status = result->wrong.found ? EXIT_WRONG : EXIT_EXACT, ret;

	report_run(text, &options->run, format, result);
	if (options->json && write_json(options->json, report_json(&options->run, result)))
		status = EXIT_FAILED;
	if (options->png) {
		ret = view_write_pair(options->png, &result->shown, result->got, result->want);
		if (ret)
			return failed_file(options->png, -ret);
		fprintf(text, "\n%s: frame %llu, left as it came out, right as it should be\n",
			options->png, (unsigned long long)result->shown_frame);
	}
	return status;
}

static int write_page(const struct options *options, const struct record *record,
		      const struct run_result *result)
{
	const struct run_config *run = &options->run;
	const char *slash = strrchr(options->input, '/');
	char machine[REPORT_VERDICT_BYTES], verdict[REPORT_VERDICT_BYTES];
	char title[PAGE_TEXT_BYTES], what[PAGE_TEXT_BYTES], outcome[PAGE_TEXT_BYTES];
	int ret;

	report_machine(run, machine);
	report_verdict(result, verdict);
	snprintf(title, sizeof(title), "%s, policy %s: %llu frames of %s", machine,
		 report_policy(run), (unsigned long long)result->frames,
		 slash ? slash + 1 : options->input);
	snprintf(what, sizeof(what),
		 "Each video frame is written by a camera, sharpened in place by an isp, numbered "
		 "by "
		 "the CPU, halved by a gpu and read by an encoder, on machine %s (%s).",
		 run->machine->name, run->machine->like);
	snprintf(outcome, sizeof(outcome),
		 "Every byte was compared with a plain CPU "
		 "implementation: %s.",
		 verdict);
	ret = html_write(options->report, record,
			 &(struct html_about){ title, what, outcome, .timed = true });
	return ret ? failed_file(options->report, -ret) : EXIT_EXACT;
}

static int run_reader(const struct options *options, struct y4m_reader *reader)
{
	struct record *record = NULL;
	struct run_result result;
	char error[RUN_ERROR_BYTES];
	int status;

	if (options->report) {
		record = record_start(PAGE_EVENTS);
		if (IS_ERR(record))
			return failed_file(options->report, -PTR_ERR(record));
	}
	status = core_run(&options->run, reader, &result, error);
	if (record)
		record_stop(record);
	clear_progress(options);
	status = status ? failed(error) : report(options, &reader->format, &result);
	if (record && status != EXIT_FAILED && write_page(options, record, &result))
		status = EXIT_FAILED;
	record_free(record);
	run_result_free(&result);
	return status;
}

/* Opening an output empties it. */
static bool is_input(const char *path, const struct input *input)
{
	struct stat from, to;

	return !stat(path, &to) && !fstat(input->fd, &from) && S_ISREG(to.st_mode) &&
	       from.st_dev == to.st_dev && from.st_ino == to.st_ino;
}

static int open_out(struct options *options)
{
	struct run_config *run = &options->run;

	if (!options->out)
		return 0;
	if (!strcmp(options->out, "-")) {
		run->out_name = "standard output";
		run->out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	} else {
		run->out_name = options->out;
		run->out_fd = open(options->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	}
	return run->out_fd < 0 ? -1 : 0;
}

/* The header is read before the output is touched: a broken input leaves the old output alone. */
static int run_single(struct options *options, struct input *input)
{
	struct y4m_reader *reader = malloc(sizeof(*reader));
	int status;

	if (!reader)
		return failed_file(input->name, ENOMEM);
	if (y4m_open(reader, input->fd, input->name)) {
		status = failed(reader->error);
	} else if (open_out(options)) {
		status = failed_file(options->run.out_name, errno);
	} else {
		status = run_reader(options, reader);
		if (options->run.out_fd >= 0 && close(options->run.out_fd) && status != EXIT_FAILED)
			status = failed_file(options->run.out_name, errno);
	}
	free(reader);
	return status;
}

static int check_writable(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat status;
	char *folder;
	int err;

	if (!stat(path, &status)) {
		err = S_ISDIR(status.st_mode) ? EISDIR : access(path, W_OK) ? errno : 0;
	} else {
		folder = slash ? strndup(path, slash - path + 1) : strdup(".");
		err = !folder ? ENOMEM : access(folder, W_OK | X_OK) ? errno : 0;
		free(folder);
	}
	return err ? failed_file(path, err) : 0;
}

static int check_outputs(const struct options *options, const struct input *input)
{
	const char *outputs[] = { options->out, options->json, options->png, options->report };

	for (size_t i = 0; i < sizeof(outputs) / sizeof(*outputs); i++)
		if (outputs[i] && is_input(outputs[i], input))
			return usage_error("%s is the input and would be overwritten", outputs[i]);
	/* Those that are written at the end: a mistyped path is told before the work, not after. */
	for (size_t i = 1; i < sizeof(outputs) / sizeof(*outputs); i++)
		if (outputs[i] && check_writable(outputs[i]))
			return -1;
	return 0;
}

/* Linux's exporters are in each core but the one that is part of this program. */
static int load_heap(struct options *options)
{
	struct run_config *run = &options->run;
	char error[RUN_ERROR_BYTES];

	if (!options->heap)
		return 0;
	if (!run->core)
		run->core = core_own() ?: core_load_heaps(error);
	if (!run->core)
		return usage_error("--heap: %s", error);
	run->heap = core_heap(run->core, options->heap);
	if (!run->heap)
		return usage_error("--heap: '%s' is none of system, linux-system, linux-cma, "
				   "linux-udmabuf",
				   options->heap);
	return 0;
}

static int load_cores(struct options *options)
{
	char error[RUN_ERROR_BYTES];

	for (unsigned int i = 0; i < options->nr_cores; i++) {
		options->cores[i] = core_load(options->core[i], error);
		if (!options->cores[i])
			return usage_error("--core: %s", error);
	}
	if (!options->compare)
		options->run.core = options->nr_cores ? options->cores[0] : core_own();
	return load_heap(options);
}

static void arm_fault(struct options *options, struct input *input)
{
	struct run_config *run = &options->run;

	run->fault_frame = input_count_frames(input, run->frames) / 2;
	run->half = STAGE_HALF_SYSTEM;
	if (!run->machine->coherent && run->coherent == STAGE_DEVICES)
		run->coherent = STAGE_GPU;
}

int cli_pipeline(int argc, char **argv)
{
	char error[INPUT_ERROR_BYTES];
	struct options options;
	struct input input;
	int ret = parse_options(argc, argv, &options), status;

	if (ret > 0)
		print_help();
	if (ret)
		return ret > 0 ? EXIT_EXACT : EXIT_FAILED;
	if (load_cores(&options))
		return EXIT_FAILED;
	options.run.progress = isatty(STDERR_FILENO) ? progress_in_place : progress_lines;
	options.run.keep_picture = options.png;
	if (input_open(&input, options.input, options.compare || options.fault, options.run.frames,
		       error))
		return failed(error);
	if (options.fault)
		arm_fault(&options, &input);
	if (check_outputs(&options, &input))
		status = EXIT_FAILED;
	else
		status = options.compare ? run_compare(&options, &input)
					 : run_single(&options, &input);
	input_close(&input);
	return status;
}
