/* sluice mix TARGET --precondition q: chains that move locally in the space of a fitted flow and,
 * in between, jump to draws of the flow. */
#include "cli/chain_options.h"
#include "cli/chain_run.h"
#include "cli/target_options.h"

static const sl__option_row options[] = {
    {"output", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file of draws: .csv (%d in the name: a file for each chain), .npy (without the "
     "sampler's columns), .safetensors; until the end of the run these are in FILE.part.csv"},
    {"precondition", SL__OPTION_TEXT, "auto", 0, 0, NULL,
     "the fitted flow, q.safetensors; auto: one fitted on the way"},
    {"jumps", SL__OPTION_INT, "1", 1, 1000, NULL,
     "draws of the flow proposed after each local move"},
    {"chains", SL__OPTION_INT, "4", 1, 10000, NULL, "chains, run side by side"},
    {"warmup", SL__OPTION_INT, "500", 0, 1e9, NULL,
     "iterations in which metric and step are learned"},
    {"draws", SL__OPTION_INT, "1000", 1, 1e9, NULL, "iterations of each chain after them"},
    {"thin", SL__OPTION_INT, "1", 1, 1e9, NULL, "keep one draw in so many"},
    {"adapt-delta", SL__OPTION_REAL, "0.8", 1e-6, 0.999999, NULL,
     "acceptance that the step size of local moves is tuned to"},
    {"max-treedepth", SL__OPTION_INT, "10", 1, SL__NUTS_MOST_DEPTH, NULL,
     "a local move's trajectory has at most 2 to the power of this many points"},
    {"all", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "show all parameters of a long table, not the worst"},
};

static int run(sl__cli *cli) {
  sl__sampler_options sampler;
  sl__sampler_defaults(&sampler);
  sl__cli_read_sampler(cli, &sampler);
  sampler.warmup = (int32_t)sl__cli_option(cli, "warmup")->integer;
  sampler.jumps = (int32_t)sl__cli_option(cli, "jumps")->integer;
  return sl__cli_run_chains(cli, &sampler);
}

const sl__command sl__command_mix = {
    .name = "mix",
    .arguments = "[TARGET]",
    .summary = "draw by Markov chains that jump between modes with a fitted flow",
    .details = "TARGET as for `sluice nuts`. Draws are exact however badly the flow fits; but "
               "modes that it\n"
               "has lost are not found. Exit code 1: the draws are not to be trusted.\n",
    .examples = "  sluice vi --mode plain --target pot1 --flow 'planar*8' -o q.safetensors\n"
                "  sluice mix --target pot1 --precondition q.safetensors -o draws.csv\n",
    .minimum = 0,
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .shared_options = sl__cli_target_rows,
    .run = run,
};
