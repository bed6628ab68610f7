/* What shells complete from: scripts with the commands, their options and the options' choices,
 * written from the registries. Arguments are files. */
#include <string.h>

#include "cli/cli.h"
#include "cli/flow_entries.h"
#include "flow/flow.h"
#include "infer/infer.h"
#include "plot/plot.h"
#include "target/standard.h"

typedef void visit(sl__text *text, const sl__command *command, const sl__option_row *row);

/* Every option of a command once: its own, shared and common ones. */
static void each_option(sl__text *text, const sl__command *command, visit *visitor) {
  for (int part = 0; part < 2; part++) {
    int count;
    const sl__option_row *rows = sl__cli_rows_of(command, part, &count);
    for (int i = 0; i < count; i++)
      if (strcmp(rows[i].name, "seed") != 0) visitor(text, command, &rows[i]);
  }
  for (int i = 0; i < sl__cli_common_count; i++) visitor(text, command, &sl__cli_common_rows[i]);
}

/* ---- what may stand where: names, each with a blank before it ---- */

static void add_name(sl__text *text, const char *name) {
  sl__text_add(text, " %s", name);
}

static void add_commands(sl__text *text) {
  int count;
  const sl__command *const *commands = sl__commands(&count);
  for (int i = 0; i < count; i++) add_name(text, commands[i]->name);
}

static void add_help(sl__text *text) {
  int count;
  const sl__topic *topics = sl__topics(&count);
  add_commands(text);
  for (int i = 0; i < count; i++) add_name(text, topics[i].name);
}

static void add_flows(sl__text *text) {
  sl__flow_entry entries[SL__MOST_FLOW_ENTRIES];
  const int count = sl__flow_entries(entries);
  for (int i = 0; i < count; i++) add_name(text, entries[i].name);
}

static void add_toys(sl__text *text) {
  int count;
  const sl__toy *toys = sl__toys(&count);
  for (int i = 0; i < count; i++) add_name(text, toys[i].name);
}

static void add_figures(sl__text *text) {
  int count;
  const sl__plot_kind *const *kinds = sl__plot_kinds(&count);
  for (int i = 0; i < count; i++) add_name(text, kinds[i]->name);
}

static void add_targets(sl__text *text) {
  int count;
  const sl__standard_target *const *targets = sl__standard_targets(&count);
  for (int i = 0; i < count; i++) add_name(text, targets[i]->name);
}

static void add_bases(sl__text *text) {
  int count;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++)
    if (sl__kind_is_base(kinds[i])) add_name(text, kinds[i]->name);
}

static void add_optimisers(sl__text *text) {
  int count;
  const sl__optimiser *const *optimisers = sl__optimisers(&count);
  for (int i = 0; i < count; i++) add_name(text, optimisers[i]->name);
}

typedef struct place {
  const char *name; /* of an option, whichever command has it; or of a command: its argument */
  void (*add)(sl__text *text);
} place;

static const place of_options[] = {{"base", add_bases},
                                   {"kind", add_figures},
                                   {"optimizer", add_optimisers},
                                   {"target", add_targets}};
static const place of_commands[] = {{"data", add_toys}, {"flows", add_flows}, {"help", add_help}};
enum { COMMAND_PLACES = sizeof of_commands / sizeof *of_commands };

static const place *find_place(const char *option) {
  for (size_t i = 0; i < sizeof of_options / sizeof *of_options; i++)
    if (strcmp(of_options[i].name, option) == 0) return &of_options[i];
  return NULL;
}

/* Whether the values of an option are known by name. */
static bool has_values(const sl__option_row *row) {
  if (row->type == SL__OPTION_TEXT) return find_place(row->name) != NULL;
  return row->type == SL__OPTION_CHOICE;
}

static void add_values(sl__text *text, const sl__option_row *row) {
  if (row->type == SL__OPTION_TEXT)
    find_place(row->name)->add(text);
  else
    for (const char *p = row->choices; *p; p++) sl__text_add_bytes(text, *p == '|' ? " " : p, 1);
}

/* ---- bash and zsh: one function finds the words, and what each of them does follows ---- */

static void shell_option(sl__text *text, const sl__command *command, const sl__option_row *row) {
  (void)command;
  sl__text_add(text, " --%s", row->name);
}

static void shell_values(sl__text *text, const sl__command *command, const sl__option_row *row) {
  if (!has_values(row)) return;
  sl__text_add(text, "    '%s --%s') found='", command->name, row->name);
  add_values(text, row);
  sl__text_add(text, "' ;;\n");
}

/* Words without blanks go to `found`; where it stays empty, files complete. */
static void write_words(sl__text *text, const sl__command *const *commands, int count) {
  sl__text_add(text, "# command, the word before, the word, its number\n"
                     "_sluice_words() {\n"
                     "  found=\n"
                     "  if [ \"$4\" -eq 1 ]; then\n    found='");
  add_commands(text);
  sl__text_add(text, "'\n  else\n    case \"$1 $2\" in\n");
  for (int i = 0; i < count; i++) each_option(text, commands[i], shell_values);
  for (int i = 0; i < COMMAND_PLACES; i++) {
    sl__text_add(text, "    '%s %s') found='", of_commands[i].name, of_commands[i].name);
    of_commands[i].add(text);
    sl__text_add(text, "' ;;\n");
  }
  sl__text_add(text, "    esac\n  fi\n"
                     "  case \"$4 $3\" in\n  '1 '*) ;;\n  *' -'*) case \"$1\" in\n");
  for (int i = 0; i < count; i++) {
    sl__text_add(text, "    %s) found='", commands[i]->name);
    each_option(text, commands[i], shell_option);
    sl__text_add(text, "' ;;\n");
  }
  sl__text_add(text, "    esac ;;\n  esac\n}\n");
}

/* Files are left to readline, which knows of blanks, quotes and ~. */
static const char bash_ending[] =
    "_sluice() {\n"
    "  local found word=${COMP_WORDS[COMP_CWORD]}\n"
    "  _sluice_words \"${COMP_WORDS[1]}\" \"${COMP_WORDS[COMP_CWORD-1]}\" \"$word\" "
    "\"$COMP_CWORD\"\n"
    "  COMPREPLY=($(compgen -W \"$found\" -- \"$word\"))\n"
    "}\n"
    "complete -o default -F _sluice sluice\n";

/* Of a file in fpath the first call runs all of it, and must complete too. */
static const char zsh_ending[] =
    "_sluice() {\n"
    "  local found\n"
    "  _sluice_words \"$words[2]\" \"$words[CURRENT-1]\" \"$words[CURRENT]\" $((CURRENT - 1))\n"
    "  if [ -n \"$found\" ]; then compadd -- ${=found}; else _files; fi\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _sluice ]; then _sluice \"$@\"; else compdef _sluice sluice; fi\n";

/* ---- fish ---- */

/* A text in single quotes, where only they and backslashes are special. */
static void add_quoted(sl__text *text, const char *plain) {
  sl__text_add(text, "'");
  for (const char *p = plain; *p; p++) {
    if (*p == '\'' || *p == '\\') sl__text_add(text, "\\");
    sl__text_add_bytes(text, p, 1);
  }
  sl__text_add(text, "'");
}

static void fish_option(sl__text *text, const sl__command *command, const sl__option_row *row) {
  sl__text_add(text, "complete -c sluice -n '__fish_seen_subcommand_from %s' -l %s", command->name,
               row->name);
  const char letter = sl__cli_letter(row->name);
  if (letter) sl__text_add(text, " -s %c", letter);
  if (has_values(row)) {
    sl__text_add(text, " -x -a '");
    add_values(text, row);
    sl__text_add(text, "'");
  } else if (row->type != SL__OPTION_BOOL) {
    sl__text_add(text, " -r");
  }
  sl__text_add(text, " -d ");
  add_quoted(text, row->help);
  sl__text_add(text, "\n");
}

static void write_fish(sl__text *text, const sl__command *const *commands, int count) {
  for (int i = 0; i < count; i++) {
    sl__text_add(text, "complete -c sluice -n __fish_use_subcommand -f -a %s -d ",
                 commands[i]->name);
    add_quoted(text, commands[i]->summary);
    sl__text_add(text, "\n");
    each_option(text, commands[i], fish_option);
  }
  for (int i = 0; i < COMMAND_PLACES; i++) {
    sl__text_add(text, "complete -c sluice -n '__fish_seen_subcommand_from %s' -f -a '",
                 of_commands[i].name);
    of_commands[i].add(text);
    sl__text_add(text, "'\n");
  }
}

void sl__cli_completion(sl__text *text, const char *shell) {
  int count;
  const sl__command *const *commands = sl__commands(&count);
  if (strcmp(shell, "fish") == 0) {
    write_fish(text, commands, count);
    return;
  }
  const bool zsh = strcmp(shell, "zsh") == 0;
  if (zsh) sl__text_add(text, "#compdef sluice\n");
  write_words(text, commands, count);
  sl__text_add(text, "%s", zsh ? zsh_ending : bash_ending);
}
