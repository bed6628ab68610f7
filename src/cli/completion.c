/* What shells complete from: scripts with the commands, their options and the options' choices,
 * written from the registries. Arguments are files. */
#include <string.h>

#include "cli/cli.h"

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

/* "a|b|c" as words. */
static void add_choices(sl__text *text, const char *choices) {
  for (const char *p = choices; *p; p++) sl__text_add_bytes(text, *p == '|' ? " " : p, 1);
}

static void add_topics(sl__text *text) {
  int count;
  const sl__topic *topics = sl__topics(&count);
  for (int i = 0; i < count; i++) sl__text_add(text, " %s", topics[i].name);
}

/* ---- bash; zsh reads the same through bashcompinit ---- */

static void bash_option(sl__text *text, const sl__command *command, const sl__option_row *row) {
  (void)command;
  sl__text_add(text, " --%s", row->name);
}

static void bash_choices(sl__text *text, const sl__command *command, const sl__option_row *row) {
  if (row->type != SL__OPTION_CHOICE) return;
  sl__text_add(text, "    '%s --%s') words='", command->name, row->name);
  add_choices(text, row->choices);
  sl__text_add(text, "' ;;\n");
}

static void write_bash(sl__text *text, const sl__command *const *commands, int count) {
  sl__text_add(text, "_sluice() {\n"
                     "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                     "  local command=${COMP_WORDS[1]} words=\n"
                     "  COMPREPLY=()\n"
                     "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    words='");
  for (int i = 0; i < count; i++) sl__text_add(text, i ? " %s" : "%s", commands[i]->name);
  sl__text_add(text, "'\n  else\n    case \"$command $before\" in\n");
  for (int i = 0; i < count; i++) each_option(text, commands[i], bash_choices);
  sl__text_add(text, "    'help help') words='");
  for (int i = 0; i < count; i++) sl__text_add(text, i ? " %s" : "%s", commands[i]->name);
  add_topics(text);
  sl__text_add(text,
               "' ;;\n    esac\n  fi\n  case \"$words$word\" in\n  -*) case \"$command\" in\n");
  for (int i = 0; i < count; i++) {
    sl__text_add(text, "    %s) words='", commands[i]->name);
    each_option(text, commands[i], bash_option);
    sl__text_add(text, "' ;;\n");
  }
  sl__text_add(text,
               "    esac ;;\n  esac\n"
               "  if [ -n \"$words\" ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
               "  else COMPREPLY=($(compgen -f -- \"$word\")); fi\n"
               "}\n"
               "complete -o filenames -F _sluice sluice\n");
}

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
  if (row->type == SL__OPTION_CHOICE) {
    sl__text_add(text, " -x -a '");
    add_choices(text, row->choices);
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
  sl__text_add(text, "complete -c sluice -n '__fish_seen_subcommand_from help' -f -a '");
  for (int i = 0; i < count; i++) sl__text_add(text, i ? " %s" : "%s", commands[i]->name);
  add_topics(text);
  sl__text_add(text, "'\n");
}

void sl__cli_completion(sl__text *text, const char *shell) {
  int count;
  const sl__command *const *commands = sl__commands(&count);
  if (strcmp(shell, "fish") == 0) {
    write_fish(text, commands, count);
    return;
  }
  if (strcmp(shell, "zsh") == 0)
    sl__text_add(text, "#compdef sluice\nautoload -U +X bashcompinit && bashcompinit\n");
  write_bash(text, commands, count);
}
