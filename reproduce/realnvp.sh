#!/bin/sh
# RealNVP on two moons (Dinh et al. 2017), as in the notebook real-nvp-pytorch of A. Ashukha.
# Usage: realnvp.sh [--quick] BUILD FOLDER
. "$(dirname "$0")/page.sh"

# moons ROWS SEED: scikit-learn's make_moons, two half circles with noise of sd 0.05.
moons() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed); pi = atan2(0, -1); print "x,y"
    for (i = 0; i < n; i++) {
      a = pi * rand(); r = 0.05 * sqrt(-2 * log(1 - rand())); t = 2 * pi * rand()
      x = i % 2 ? 1 - cos(a) : cos(a); y = i % 2 ? 0.5 - sin(a) : sin(a)
      printf "%.7g,%.7g\n", x + r * cos(t), y + r * sin(t)
    }
  }'
}

# floor FILE: what the moons' own density scores, nats per row: the curve is summed over its angles.
floor() {
  awk -F, 'BEGIN {n = 200; pi = atan2(0, -1); v = 0.05 ^ 2
      for (i = 0; i < n; i++) {a = pi * (i + 0.5) / n; c[i] = cos(a); s[i] = sin(a)}}
    NR > 1 {
      p = 0
      for (i = 0; i < n; i++) {
        p += exp(-(($1 - c[i]) ^ 2 + ($2 - s[i]) ^ 2) / (2 * v))
        p += exp(-(($1 - 1 + c[i]) ^ 2 + ($2 - 0.5 + s[i]) ^ 2) / (2 * v))
      }
      sum -= log(p / (2 * n * 2 * pi * v))
    }
    END {printf "%.3f", sum / (NR - 1)}' "$1"
}

begin 'RealNVP on two moons'
say 'The notebook trains six affine coupling layers, whose scales and shifts are networks of two
hidden layers of 256, for 5,001 steps of Adam at 0.0001 on 100 fresh points each. Here each step
takes 100 rows of a file that is gone through once, which is the same.'

moons "$(($(steps 5001) * 100))" 1 >train.csv
moons 1000 2 >shown.csv
moons "$(if $quick; then echo 500; else echo 20000; fi)" 3 >test.csv

section 'Data'
figure 'The 1,000 points of the figures below. The notebook draws these too.' shown.csv

section "The fit in the notebook's settings"
wide=$(if $quick; then echo 16x16; else echo 256x256; fi)
net="net=separate,hidden=$wide,activation=leaky_relu,scale=tanh"
does realnvp fit train.csv --flow "coupling(affine,$net)*6" --optimizer adam --lr 0.0001 \
  --schedule constant --batch 100 --steps "$(steps 5001)" --valid 0 --valid-every 10 \
  --test test.csv --ema 0 --dequantize=false --baselines=false -o realnvp.safetensors
figure 'The loss along the fit, nats per point.' realnvp.safetensors --kind loss
figure 'z = f(x), z ~ p(z), x ~ p(x) and x = g(z): what belongs together has the same colour.' \
  realnvp.safetensors --kind panels --data shown.csv
beside
figure "The density. It is the notebook's image of p(x), with the points over it." \
  realnvp.safetensors --data shown.csv
figure 'A square net on the base, as the flow bends it.' realnvp.safetensors --kind warp
beside_end
figure 'The density after each layer.' realnvp.safetensors --kind layers

section 'sluice by itself'
say 'The same rows without options: sluice chooses the flow and the budget.'
moons "$(if $quick; then echo 300; else echo 20000; fi)" 4 >some.csv
if $quick; then few='--steps 20'; else few=; fi
# shellcheck disable=SC2086
does default fit some.csv --test test.csv $few -o default.safetensors
figure 'The density that sluice chose.' default.safetensors --data shown.csv
figure 'Calibration on fresh points: ranks in the base, which should be level.' \
  default.safetensors --kind pit --data test.csv

section 'Numbers'
# score KEY NAME: of the test rows.
score() {
  sed -n 's/.*"test": {[^}]*"'"$1"'": \(-\{0,1\}[0-9.e-]*\).*/\1/p' "$2.json"
}
loss() { calculate "-($(score log_prob "$1"))" 3; }
say 'The notebook prints the loss of single batches of 100 points; sluice scores 20,000 points that
no fit has seen. The floor is what the density that they come from scores on the same points.'
table 'negative log density, nats per point' notebook sluice floor
floor=$(floor test.csv)
row 'RealNVP' '0.505 (0.274 to 0.669)' "$(loss realnvp)" "$floor"
row 'what sluice chose' – "$(loss default)" "$floor"
table_end
say "The notebook's number is the mean, least and largest of the ten losses that it prints for the
steps 500 to 5,000. That least, of the last step, is a batch's luck if it is below the floor."
offset=$(calculate "$(score log_prob realnvp) - ($(score log_prob_standardized realnvp))" 3)
say "The loss in the figures is of standardised columns: $offset nats more than in their own units."
finish
