/* SPDX-License-Identifier: MIT */
/*
 * commands.h - the commands of `dmabuf`
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/* Exit statuses of every command. */
#define EXIT_EXACT 0  /* done, and right */
#define EXIT_WRONG 1  /* done, and wrong bytes were found */
#define EXIT_FAILED 2 /* not done: one line on standard error says what and where */

/* What the program was called by: its argv[0]. */
extern const char *cli_command;

/** cli_pipeline - `dmabuf pipeline ...`; argv[0] is "pipeline". Returns the exit status. */
int cli_pipeline(int argc, char **argv);

/** cli_conformance - `dmabuf conformance ...`, as above */
int cli_conformance(int argc, char **argv);

/** cli_check - `dmabuf check ...`, as above */
int cli_check(int argc, char **argv);

/** cli_explore - `dmabuf explore ...`, as above */
int cli_explore(int argc, char **argv);

/**
 * cli_run - `dmabuf run ...`; argv[0] is "run". Returns the program's exit status, or
 * EXIT_FAILED; a signal that ends the program ends this process.
 */
int cli_run(int argc, char **argv);

/** cli_doctor - `dmabuf doctor`, as above */
int cli_doctor(int argc, char **argv);

/** cli_schedules - `dmabuf schedules ...`, as above */
int cli_schedules(int argc, char **argv);

#endif
