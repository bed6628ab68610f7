/* Running another program. Its three streams are nameless temporary files rather than pipes: neither
 * side can wait for the other, and a program that seeks in its output may. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/os.h"

extern char **environ;

enum { INPUT, OUTPUT, SAID, STREAMS };

static void close_streams(FILE *streams[STREAMS]) {
  for (int i = 0; i < STREAMS; i++)
    if (streams[i]) fclose(streams[i]);
}

static sl_status open_streams(sl_context *context, const sl__os_program *program,
                              FILE *streams[STREAMS]) {
  bool good = true;
  for (int i = 0; i < STREAMS; i++) {
    streams[i] = tmpfile();
    good &= streams[i] != NULL;
  }
  if (good) {
    good =
        fwrite(program->input, 1, program->input_length, streams[INPUT]) == program->input_length &&
        fflush(streams[INPUT]) == 0;
    rewind(streams[INPUT]);
  }
  if (good) return SL_OK;
  const sl_status status = sl__fail(
      context, SL_IO, "no temporary file can be written: %s; is the disk full?", strerror(errno));
  close_streams(streams);
  return status;
}

/* *code: what the program ended with, 128 and the signal's number if one ended it. */
static int start_and_wait(const sl__os_program *program, FILE *streams[STREAMS], int *code) {
  posix_spawn_file_actions_t actions;
  pid_t child;
  int failed = posix_spawn_file_actions_init(&actions);
  if (failed) return failed;
  for (int i = 0; i < STREAMS && !failed; i++)
    failed = posix_spawn_file_actions_adddup2(&actions, fileno(streams[i]), i);
  if (!failed)
    failed = posix_spawnp(&child, program->words[0], &actions, NULL,
                          (char *const *)(void *)program->words, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) return failed;
  int state = 0;
  while (waitpid(child, &state, 0) < 0)
    if (errno != EINTR) return errno;
  *code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  return 0;
}

static sl_status read_stream(sl_context *context, FILE *stream, char **data, size_t *length) {
  const long end = fseek(stream, 0, SEEK_END) == 0 ? ftell(stream) : -1;
  if (end < 0) return sl__fail(context, SL_IO, "a temporary file cannot be read; try again");
  rewind(stream);
  *data = sl__allocate(context, (size_t)end + 1, 1);
  if (!*data) return SL_NO_MEMORY;
  *length = fread(*data, 1, (size_t)end, stream);
  return SL_OK;
}

static void keep_beginning(FILE *stream, char *said, size_t size) {
  rewind(stream);
  said[fread(said, 1, size - 1, stream)] = '\0';
}

sl_status sl__os_run(sl_context *context, sl__os_program *program) {
  FILE *streams[STREAMS];
  int code = 0;
  program->output = NULL;
  program->output_length = 0;
  program->said[0] = '\0';
  SL__TRY(open_streams(context, program, streams));
  const int failed = start_and_wait(program, streams, &code);
  sl_status status = SL_OK;
  if (failed || code == 127) {
    status = sl__fail(context, failed == ENOENT || code == 127 ? SL_UNSUPPORTED : SL_IO,
                      "%s cannot be run: %s; is it installed?", program->words[0],
                      strerror(failed ? failed : ENOENT));
  } else {
    keep_beginning(streams[SAID], program->said, sizeof program->said);
    status = read_stream(context, streams[OUTPUT], &program->output, &program->output_length);
    if (status == SL_OK && code != 0)
      status = sl__fail(context, SL_IO, "%s ended with code %d: %.400s; try another kind of figure",
                        program->words[0], code, program->said);
  }
  if (status != SL_OK) {
    sl__free(&context->allocator, program->output);
    program->output = NULL;
  }
  close_streams(streams);
  return status;
}
