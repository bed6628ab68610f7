#!/bin/sh
# "Normalizing Flows Overview", the tutorial of PyMC3 on variational inference with flows (NFVI).
# Usage: pymc.sh [--quick] BUILD FOLDER
. "$(dirname "$0")/page.sh"

# The potentials 2 to 4 within the tutorial's window, -5 .. 5; as they stand they reach to +-100.
wave='sin(pi()*x1/2)'
edge='- 0.1*abs(x1) - 1000*fmax(abs(x1) - 5, 0)^2'
pot2="-0.5*((x2 - $wave)/0.4)^2 $edge"
pot3="log_sum_exp(-0.5*((x2 - $wave)/0.35)^2,
  -0.5*((x2 - $wave + 3*exp(-0.5*((x1 - 1)/0.6)^2))/0.35)^2) $edge"
pot4="log_sum_exp(-0.5*((x2 - $wave)/0.4)^2,
  -0.5*((x2 - $wave + 3*inv_logit((x1 - 1)/0.3))/0.35)^2) $edge"

# started NAME FLOW JITTER: the flow before the fit.
started() {
  sluice vi --mode plain --target pot1 --flow "$2" --jitter "$3" --steps 1 --lr 1e-12 \
    -o "$1.safetensors" --json >/dev/null
}
# rhat NAME: the largest in what `sluice nuts` reported.
rhat() {
  sed 's/{"name"/\n&/g' "$1.json" | sed -n 's/.*"rhat": \([0-9.]*\).*/\1/p' |
    sort -n | awk '{most = $1} END {printf "%.2f", most}'
}
# plain NAME ARGUMENTS...: a fit that is shown, of seed 0, and of more seeds for the table.
seeds=9
plain() {
  vi "$@" --mode plain
  plain=$1
  shift
  for seed in $(seq 1 $((seeds - 1))); do
    sluice vi "$@" --mode plain --seed "$seed" -o seed.safetensors --json >seed.json
    number loss_average seed 6
    echo
  done >"$plain.losses"
  { number loss_average "$plain" 6 && echo; } >>"$plain.losses"
  rm seed.safetensors seed.json
}
# median NAME, and range NAME, of the seeds' average losses.
median() { sort -n "$1.losses" | awk '{x[NR] = $1} END {printf "%.3f", x[(NR + 1) / 2]}'; }
range() { sort -n "$1.losses" | awk 'NR == 1 {a = $1} {b = $1} END {printf "%.3f to %.3f", a, b}'; }

begin 'PyMC3: Normalizing Flows Overview'
say 'The tutorial fits flows by variational inference to two of the four potentials of Rezende and
Mohamed (2015), and holds them against NUTS. Each figure is made again with its settings; the
default mode of sluice stands beside it.'

section 'The four potentials'
beside
figure 'pot1' --target pot1
figure 'pot2' --density "$pot2" --dim x1,x2
figure 'pot3' --density "$pot3" --dim x1,x2
figure 'pot4' --density "$pot4" --dim x1,x2
beside_end

section 'pot1 by NUTS'
printf 'x1,x2\n-2,0\n2,0\n' >starts.csv
does nuts1 nuts --target pot1 --chains 2 --warmup 500 --draws "$(steps 1000)" --init starts.csv \
  -o nuts1.csv
say "The verdict: $(words verdict nuts1)"
beside
figure 'The draws, with a smoothed density under them.' nuts1.csv --kind density --columns 'x1, x2'
figure 'Their course: the chains stay on a side for long.' nuts1.csv --kind trace --columns 'x1, x2'
beside_end

section 'pot1 by two planar layers'
started start2 'planar*2' 1
plain planar2 --target pot1 --flow 'planar*2' --jitter 1 --samples 1 \
  --steps "$(steps 30000)" --optimizer adagrad_window --lr 0.01 \
  --track 'layers.*,gradient:layers.*@10=planar2.csv'
beside
figure 'Before the fit.' start2.safetensors
figure 'After 30,000 steps: one half.' planar2.safetensors
beside_end
figure 'The loss, of one draw each step.' planar2.safetensors --kind loss
for layer in 1 2; do
  keep "layers[.]$layer" planar2.csv >layer.csv
  figure "Layer $layer: parameters beside their gradients, as --track recorded them." layer.csv
done

section 'pot1 by eight planar layers'
started start8 'planar*8' 1
plain planar8 --target pot1 --flow 'planar*8' --jitter 1 --samples 100 \
  --steps "$(steps 25000)" --optimizer adam --lr 0.01 --stop-parameters 0.001 --stop-change absolute
beside
figure 'Before the fit.' start8.safetensors
figure 'After it.' planar8.safetensors
beside_end
figure 'The loss, of 100 draws each step.' planar8.safetensors --kind loss
figure 'The density after each layer of planar*8.' planar8.safetensors --kind layers

section 'pot1, sluice by itself'
robust robust1 --target pot1
say "The verdict: $(words verdict robust1)"
beside
figure 'The fit.' robust1.safetensors
figure 'The tail of its importance weights.' robust1.safetensors --kind weights
beside_end

section 'pot4: NUTS beside flows'
does nuts4 nuts --target pot4 --chains 2 --warmup 1000 --draws "$(steps 3000)" --adapt-delta 0.9 \
  -o nuts4.csv
say "The verdict: $(words verdict nuts4)"
plain planar10 --target pot4 --flow 'planar*10' --jitter 0.1 --samples 10 \
  --steps "$(steps 25000)" --optimizer adam --lr 0.01
robust robust4 --target pot4
say "The verdict: $(words verdict robust4)"
within 5 x1 nuts4.csv >window_nuts4.csv
for name in planar10 robust4; do
  sluice sample $name.safetensors -n 20000 -o $name.csv
  within 5 x1 $name.csv >window_$name.csv
done
beside
figure 'The target between -5 and 5.' --density "$pot4" --dim x1,x2
figure 'NUTS: the draws within the window.' window_nuts4.csv --kind density --columns 'x1, x2'
figure 'planar*10: draws within the window.' window_planar10.csv --kind density
figure 'sluice by itself: draws within the window.' window_robust4.csv --kind density
beside_end
figure 'The loss of planar*10, of 10 draws each step.' planar10.safetensors --kind loss

section 'Numbers'
say "The average loss of the last 1,000 steps, as the tutorial prints it for one run; here for \
$seeds seeds, of which the figures show the first. None can be below minus the logarithm of the \
target's integral, the floor. The default mode's loss is minus its ELBO, by fresh draws."
floor1=-1.878
floor4=-3.627
# fit_row WHAT TUTORIAL NAME FLOOR
fit_row() {
  row "$1" "$2" "$(median "$3")" "$(range "$3")" "$4" "$(number khat "$3" 2)" \
    "$(number fit_seconds "$3" 1)"
}
robust_row() {
  row "$1" – "$(calculate "-($(number elbo "$2" 6))" 3)" – "$3" "$(number khat "$2" 2)" \
    "$(number fit_seconds "$2" 1)"
}
table loss tutorial 'sluice, median' 'all seeds' floor 'k-hat' seconds
fit_row 'pot1, planar*2' -0.89 planar2 $floor1
fit_row 'pot1, planar*8' -1.777 planar8 $floor1
robust_row 'pot1, default mode' robust1 $floor1
fit_row 'pot4, planar*10' -2.504 planar10 $floor4
robust_row 'pot4, default mode' robust4 $floor4
table_end
stopped=$(words stopped planar8)
say "The tutorial's test of convergence, no parameter changing by 0.001, was asked for with \
planar*8, which took $(number steps planar8 0) steps: ${stopped:-it did not end the fit early}."
table NUTS tutorial 'sluice, pot1' 'sluice, pot4'
row divergences '102 (pot1)' "$(number divergences nuts1 0)" "$(number divergences nuts4 0)"
row 'largest R-hat' 'above 1.4 (pot1)' "$(rhat nuts1)" "$(rhat nuts4)"
row 'mean acceptance' '0.30 (pot1)' "$(mean accept_stat__ nuts1.csv)" \
  "$(mean accept_stat__ nuts4.csv)"
table_end
say "Divergences and a low acceptance are the sampler's fault; a large R-hat here is the
target's, whose parts are far apart, and the verdict says so."
finish
