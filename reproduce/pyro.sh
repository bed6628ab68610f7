#!/bin/sh
# A document on Pyro's flows: variational inference of a mixture, flow by flow, and a flow as the
# policy of reinforcement learning.
# Usage: pyro.sh [--quick] BUILD FOLDER
. "$(dirname "$0")/page.sh"

batch=128
mixture_entropy=3.485473 # nats, by a sum over a fine grid (examples/08_variational.c)
normal_entropy=2.837877  # 1 + log(2 pi)

# fitted NAME TARGET FLOW [OPTIONS...]: in the document's settings, but for the options.
fitted() {
  fitted=$1
  target=$2
  flow=$3
  shift 3
  [ $# -gt 0 ] || set -- --lr 0.005
  vi "$fitted" --mode plain --target "$target" --flow "$flow" --samples $batch \
    --steps "$(steps 2000)" --optimizer adam "$@"
}
# loss NAME ENTROPY: of a batch, as the document counts.
loss() { calculate "$batch * ($2 - ($(number elbo "$1" 8)))"; }
kinds='planar radial householder sylvester iaf coupling'
formula() {
  case $1 in
    householder) echo 'scale-hh*3-loc' ;;
    iaf) echo 'iaf(hidden=32)*3' ;;
    coupling) echo 'coupling(affine,hidden=32)*3' ;;
    *) echo "$1*3" ;;
  esac
}

# The policies learn in the background, on one thread.
if $quick; then full=; else full=full; fi
"$build/example_07_policy" $full curves.csv policy.safetensors >policies.txt &
policies=$!

begin 'Flows in Pyro: variational inference, and a policy'
say 'The document fits flows to a mixture of two Gaussians, with 2,000 steps of 128 draws and Adam
at 0.005, plots the densities between the layers, and ends with a soft actor-critic whose policy
is a flow.'

section 'The targets'
beside
figure 'Two unit normals at (1, 1) and (-2, -2).' --target gaussian_mixture
figure 'A unit normal at (5, 5).' --target gaussian55
beside_end

section 'Three layers of each kind on the mixture'
for kind in $kinds; do fitted "$kind" gaussian_mixture "$(formula "$kind")"; done
for kind in $kinds; do
  beside
  formula=$(formula "$kind")
  figure "$formula: the density after the fit." "$kind.safetensors"
  figure "$formula: the loss, nats per draw; the floor is 0." "$kind.safetensors" --kind loss
  beside_end
done

section 'Between the layers'
for kind in planar sylvester coupling; do
  figure "$(formula "$kind"): the density after each layer." "$kind.safetensors" --kind layers
done
say 'The same as draws, by the command sluice sample with --upto 0 .. 3:'
beside
for layer in 0 1 2 3; do
  sluice sample sylvester.safetensors -n 2000 --upto $layer -o upto.csv
  figure "sylvester*3 after $layer layers, draws." upto.csv --kind density
done
beside_end

section 'The affine flow on the Gaussian'
fitted affine gaussian55 scale-loc
fitted clipped gaussian55 scale-loc --lr 0.005 --clip 1
fitted falling gaussian55 scale-loc --lr 0.02 --schedule cosine
say "The document's affine flow moves only one of two coordinates, and stalls at 1,963 = 128 (H +
25/2). Here both are moved. At a constant rate Adam is still on its way after 2,000 steps: the
mean square by which it divides remembers the steep slope of the start for a thousand of them.
With the gradient's norm bounded by 1 that memory is short, and the same rate arrives; so does a
larger rate that falls."
beside
figure 'scale-loc on the normal at (5, 5).' affine.safetensors
figure 'Its loss, nats per draw; the floor is 0.' affine.safetensors --kind loss
beside_end

section 'The mixture, sluice by itself'
robust robust --target gaussian_mixture
say "The verdict: $(words verdict robust)"
beside
figure 'The fit.' robust.safetensors
figure 'The tail of its importance weights.' robust.safetensors --kind weights
beside_end

section 'Numbers'
say "The document's loss for a batch is 128 (KL + H), H being the target's entropy and KL the
divergence of the flow from it. No divergence is negative, so the loss of no density is below 128 H:
446.14 for the mixture, 363.25 for the Gaussian."
say "The document's trace for three Sylvester layers ends between 135 and 200, which is
impossible. The class that it uses adds up the logarithm of a determinant that holds for
triangular matrices, for a product of matrices that is not triangular; the fit finds the places
where this is most wrong, and both modes are not fitted."
table 'loss of a batch of 128' document sluice floor 'k-hat' seconds
for kind in $kinds; do
  document=–
  if [ "$kind" = sylvester ]; then document='135 to 200 (impossible)'; fi
  row "mixture, $(formula "$kind")" "$document" "$(loss "$kind" $mixture_entropy)" 446.14 \
    "$(number khat "$kind" 2)" "$(number fit_seconds "$kind" 1)"
done
row 'mixture, default mode' – "$(loss robust $mixture_entropy)" 446.14 \
  "$(number khat robust 2)" "$(number fit_seconds robust 1)"
row 'Gaussian, scale-loc' 1963 "$(loss affine $normal_entropy)" 363.25 \
  "$(number khat affine 2)" "$(number fit_seconds affine 1)"
row 'Gaussian, scale-loc, gradient bounded by 1' – "$(loss clipped $normal_entropy)" 363.25 \
  "$(number khat clipped 2)" "$(number fit_seconds clipped 1)"
row 'Gaussian, scale-loc, falling rate' – "$(loss falling $normal_entropy)" 363.25 \
  "$(number khat falling 2)" "$(number fit_seconds falling 1)"
table_end
say 'By fresh draws: a number may be below its floor by the error of that, a few tenths.'

section 'A flow as a policy'
say 'Soft actor-critic swings up a pendulum whose motor is too weak to lift it at once
(examples/07_policy.c). The Gaussian policy is squashed by tanh; the flow has three planar layers
besides. The parameters of both come from the state.'
wait $policies
figure 'Returns: mean of the seeds, and their range.' curves.csv --kind curves
say 'What the flow policy does in three states, the last seed: the density of the action, which is
the torque as a share of the largest, along the turning direction.'
beside
state() { figure "$2" policy.safetensors --context-value "$1" --xrange=-1.1:1.1; }
state c1=1,c2=0,c3=0 'Upright and at rest: hold still.'
state c1=0.7,c2=0.714,c3=0.1 'Tilted by 45 degrees and falling: push back.'
state c1=-1,c2=0,c3=0.25 'Hanging, with some speed: swing up.'
beside_end
element pre "$(cat policies.txt)"
finish
