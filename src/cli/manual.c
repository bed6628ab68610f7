/* The manual page, in the man macros of roff, written from the registries of commands and topics. */
#include <string.h>

#include "cli/cli.h"

/* Text as roff takes it: a backslash is an escape, a point or an apostrophe at the beginning of a
 * line a request, and a plain minus a hyphen that cannot be copied. */
static void add_plain(sl__text *text, const char *plain) {
  bool line_start = true;
  for (const char *p = plain; *p; p++) {
    if (line_start && (*p == '.' || *p == '\'')) sl__text_add(text, "\\&");
    if (*p == '\\')
      sl__text_add(text, "\\e");
    else if (*p == '-')
      sl__text_add(text, "\\-");
    else
      sl__text_add_bytes(text, p, 1);
    line_start = *p == '\n';
  }
}

/* Lines as they stand. */
static void add_example(sl__text *text, const char *lines) {
  sl__text_add(text, ".PP\n.nf\n");
  add_plain(text, lines);
  sl__text_add(text, ".fi\n");
}

static void add_option(sl__text *text, const sl__option_row *row) {
  sl__text_add(text, ".TP\n\\fB");
  const char letter[] = {'-', sl__cli_letter(row->name), '\0'};
  if (letter[1]) {
    add_plain(text, letter);
    sl__text_add(text, "\\fR, \\fB");
  }
  add_plain(text, "--");
  add_plain(text, row->name);
  sl__text_add(text, "\\fR \\fI");
  add_plain(text, sl__cli_placeholder(row));
  sl__text_add(text, "\\fR\n");
  add_plain(text, row->help);
  if (row->fallback && row->type != SL__OPTION_BOOL) {
    sl__text_add(text, " [");
    add_plain(text, row->fallback);
    sl__text_add(text, "]");
  }
  sl__text_add(text, "\n");
}

static void add_command(sl__text *text, const sl__command *command) {
  sl__text_add(text, ".SS \"sluice %s %s\"\n", command->name, command->arguments);
  add_plain(text, command->summary);
  sl__text_add(text, ".\n");
  if (command->details) add_example(text, command->details);
  for (int part = 0; part < 2; part++) {
    int count;
    const sl__option_row *rows = sl__cli_rows_of(command, part, &count);
    for (int i = 0; i < count; i++)
      if (strcmp(rows[i].name, "seed") != 0) add_option(text, &rows[i]);
  }
  if (command->examples) {
    sl__text_add(text, ".PP\nExamples:\n");
    add_example(text, command->examples);
  }
}

static void add_topic(sl__text *text, const sl__topic *topic) {
  sl__text body;
  sl__text_open(&body, text->context);
  topic->write(&body);
  sl__text_add(text, ".SS %s\n", topic->name);
  if (body.data) add_example(text, body.data);
  text->failed |= body.failed;
  sl__text_close(&body);
}

void sl__cli_manual(sl__text *text) {
  sl__text_add(text, ".TH SLUICE 1 \"\" \"sluice %s\" \"User Commands\"\n", sl_version_text());
  sl__text_add(text,
               ".SH NAME\nsluice \\- normalizing flows: densities from data, and inference\n"
               ".SH SYNOPSIS\n\\fBsluice\\fR \\fICOMMAND\\fR \\fIARGUMENTS\\fR [\\fIOPTIONS\\fR]\n"
               ".SH DESCRIPTION\n"
               "Fits normalizing flows to rows of data or to a density known up to a constant, "
               "such as a Stan program with its data; scores rows, draws samples, and says how far "
               "to trust the result.\n"
               "Options may stand anywhere; \\fB\\-\\fR is standard input or output. Results go to "
               "standard output, all talk to standard error.\n"
               ".SH COMMON OPTIONS\n");
  for (int i = 0; i < sl__cli_common_count; i++) add_option(text, &sl__cli_common_rows[i]);
  int count;
  sl__text_add(text, ".SH COMMANDS\n");
  const sl__command *const *commands = sl__commands(&count);
  for (int i = 0; i < count; i++) add_command(text, commands[i]);
  sl__text_add(text, ".SH TOPICS\n");
  const sl__topic *topics = sl__topics(&count);
  for (int i = 0; i < count; i++) add_topic(text, &topics[i]);
  sl__text_add(text,
               ".SH EXIT STATUS\n.TP\n0\ndone\n.TP\n1\nthe computation failed, or is not to be "
               "trusted\n.TP\n2\nwrong request or input\n.TP\n130\ninterrupted; the best so far is "
               "saved\n");
}
