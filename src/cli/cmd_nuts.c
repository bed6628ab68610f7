/* sluice nuts TARGET: draws from a density that is known up to a constant, and whether they are to
 * be trusted. */
#include "cli/chain_options.h"
#include "cli/chain_run.h"
#include "cli/target_options.h"

static const sl__option_row options[] = {
    {"output", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file of draws: .csv (%d in the name: a file for each chain), .npy (without the "
     "sampler's columns), .safetensors; until the end of the run these are in FILE.part.csv"},
    {"chains", SL__OPTION_INT, "4", 1, 10000, NULL, "chains, run side by side"},
    {"warmup", SL__OPTION_INT, "1000", 0, 1e9, NULL,
     "iterations in which metric and step are learned"},
    {"draws", SL__OPTION_INT, "1000", 1, 1e9, NULL, "iterations of each chain after them"},
    {"thin", SL__OPTION_INT, "1", 1, 1e9, NULL, "keep one draw in so many"},
    {"adapt-delta", SL__OPTION_REAL, "0.8", 1e-6, 0.999999, NULL,
     "acceptance that the step size is tuned to; without it, with a Fisher metric, 0.95 if the "
     "warm-up diverges often, or (with --trajectories 0) at all while it mixes slowly, and 0.99 if "
     "it goes on diverging even then"},
    {"trajectories", SL__OPTION_INT, "0", 0, 1000, NULL,
     "trajectories from one draw to the next; 0: up to 8 (7 with the default --warmup, 1 below "
     "about 400) if the warm-up mixes slowly, with a Fisher metric and no thinning; Stan: 1"},
    {"max-treedepth", SL__OPTION_INT, "10", 1, SL__NUTS_MOST_DEPTH, NULL,
     "a trajectory has at most 2 to the power of this many points"},
    {"halvings", SL__OPTION_INT, "0", 0, SL__NUTS_MOST_HALVINGS, NULL,
     "how often a step may be halved where the energy would change by more than 1 on it; where "
     "that does not do, it is a divergence; Stan: 0; with --precondition auto: 8"},
    {"metric", SL__OPTION_CHOICE, "fisher_low_rank", 0, 0,
     "unit_e|diag_e|dense_e|fisher_diag|fisher_low_rank",
     "what is learned of the target's shape: Stan's three, or from draws and gradients"},
    {"step-size", SL__OPTION_REAL, "1", 1e-300, 1e7, NULL, "the first step size tried"},
    {"init", SL__OPTION_TEXT, "2", 0, 0, NULL,
     "first points: within this of 0, a table of points, draws (Stan CSV), pathfinder, or a fitted "
     "flow"},
    {"init-candidates", SL__OPTION_INT, "10", 1, 100, NULL,
     "random first points of a chain, of which the best is taken; Stan: 1"},
    {"precondition", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "sample in the space of this fitted flow, q.safetensors; auto: of one fitted on the way"},
    {"save-warmup", SL__OPTION_BOOL, "false", 0, 0, NULL, "write the draws of the warm-up too"},
    {"all", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "show all parameters of a long table, not the worst"},
};

static int run(sl__cli *cli) {
  sl__sampler_options sampler;
  sl__sampler_defaults(&sampler);
  sl__sampler_take_pains(&sampler);
  sl__cli_read_sampler(cli, &sampler);
  return sl__cli_run_chains(cli, &sampler);
}

const sl__command sl__command_nuts = {
    .name = "nuts",
    .arguments = "[TARGET]",
    .summary = "draw from a Stan program or another density by Markov chains",
    .details =
        "TARGET is a .stan file with --data; or give --target NAME, or --density with --dim.\n"
        "Exit code 1: the draws are not to be trusted, for the reason that the verdict says.\n",
    .examples = "  sluice nuts model.stan --data data.json -o draws.csv\n"
                "  sluice nuts model.stan --data data.json --chains 8 -o 'draws_%d.csv'\n"
                "  sluice nuts model.stan --data data.json --precondition auto\n"
                "  sluice nuts --target pot1 --metric diag_e --adapt-delta 0.95\n",
    .minimum = 0,
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .shared_options = sl__cli_target_rows,
    .run = run,
};
