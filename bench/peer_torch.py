#!/usr/bin/env python3
"""The benchmark workloads in PyTorch, to hold sluice against.

    peer_torch.py [--threads N] [--seconds S] [--adam fused|foreach|loop] [--compile] WORKLOAD...

prints one line per workload: its name, then the median, the 10th and the 90th percentile of the
time of one call, in milliseconds. The models are the ones a PyTorch user would write, and the
defaults are the fastest settings found for them (docs/benchmarks.md). Nothing is measured that
sluice does not do as well: a training step is zero the gradients, log-likelihood, backward, Adam.
"""

import argparse
import math
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    sys.exit("peer_torch.py: PyTorch is not importable; pip install torch")

LOG_2_PI = math.log(2 * math.pi)


def standard_normal_log_prob(z):
    return -0.5 * (z * z).sum(1) - 0.5 * z.shape[1] * LOG_2_PI


class RealNVP(nn.Module):
    """Six affine coupling layers on two features; scale and shift by networks 2-256-256-2."""

    def __init__(self, layers=6, hidden=256):
        super().__init__()

        def network(*last):
            return nn.Sequential(nn.Linear(2, hidden), nn.LeakyReLU(),
                                 nn.Linear(hidden, hidden), nn.LeakyReLU(),
                                 nn.Linear(hidden, 2), *last)

        self.scale = nn.ModuleList([network(nn.Tanh()) for _ in range(layers)])
        self.shift = nn.ModuleList([network() for _ in range(layers)])
        self.register_buffer("mask", torch.tensor([[0.0, 1.0], [1.0, 0.0]] * (layers // 2)))

    def log_prob(self, x):
        log_det = x.new_zeros(x.shape[0])
        z = x
        for i in reversed(range(len(self.scale))):
            mask = self.mask[i]
            kept = mask * z
            scale = self.scale[i](kept) * (1 - mask)
            shift = self.shift[i](kept) * (1 - mask)
            z = (1 - mask) * (z - shift) * torch.exp(-scale) + kept
            log_det = log_det - scale.sum(1)
        return standard_normal_log_prob(z) + log_det


class MaskedLinear(nn.Linear):
    def __init__(self, inputs, outputs, mask):
        super().__init__(inputs, outputs)
        self.register_buffer("mask", mask.float())

    def forward(self, x):
        return F.linear(x, self.weight * self.mask, self.bias)


class Made(nn.Module):
    """Shift and log-scale of every feature from the features before it."""

    def __init__(self, dim, hidden):
        super().__init__()
        degree_in = torch.arange(1, dim + 1)
        degree_hidden = torch.arange(hidden) % (dim - 1) + 1
        degree_out = torch.cat([degree_in, degree_in])
        self.dim = dim
        self.net = nn.Sequential(
            MaskedLinear(dim, hidden, degree_hidden[:, None] >= degree_in[None]), nn.ReLU(),
            MaskedLinear(hidden, hidden, degree_hidden[:, None] >= degree_hidden[None]), nn.ReLU(),
            MaskedLinear(hidden, 2 * dim, degree_out[:, None] > degree_hidden[None]))

    def forward(self, x):
        return self.net(x).split(self.dim, 1)


class Maf(nn.Module):
    """Masked autoregressive flow: 43 features, 5 layers of 512-512, reversed in between."""

    def __init__(self, dim=43, hidden=512, layers=5):
        super().__init__()
        self.dim = dim
        self.layers = nn.ModuleList([Made(dim, hidden) for _ in range(layers)])

    def log_prob(self, x):
        log_det = 0
        for layer in self.layers:
            shift, log_scale = layer(x)
            x = ((x - shift) * torch.exp(-log_scale)).flip(1)
            log_det = log_det - log_scale.sum(1)
        return standard_normal_log_prob(x) + log_det

    def sample(self, rows):
        z = torch.randn(rows, self.dim)
        for layer in reversed(self.layers):
            z = z.flip(1)
            x = torch.zeros_like(z)
            for i in range(self.dim):
                shift, log_scale = layer(x)
                x[:, i] = z[:, i] * torch.exp(log_scale[:, i]) + shift[:, i]
            z = x
        return z


def rational_quadratic_spline(x, widths, heights, slopes, bound=3.0, minimum=1e-3):
    """Durkan et al. 2019, equations 4 to 8; identity beyond +-bound."""
    bins = widths.shape[-1]
    inside = (x >= -bound) & (x <= bound)
    clamped = x.clamp(-bound, bound)

    def knots(raw):
        size = minimum + (1 - minimum * bins) * F.softmax(raw, -1)
        edges = F.pad(torch.cumsum(size, -1), (1, 0)) * 2 * bound - bound
        return edges, edges[..., 1:] - edges[..., :-1]

    x_edges, x_sizes = knots(widths)
    y_edges, y_sizes = knots(heights)
    slope = F.pad(minimum + F.softplus(slopes), (1, 1), value=1.0)
    index = (clamped[..., None] >= x_edges[..., 1:-1]).sum(-1, keepdim=True)

    def at_bin(table):
        return table.gather(-1, index)[..., 0]

    width, height = at_bin(x_sizes), at_bin(y_sizes)
    left, bottom = at_bin(x_edges[..., :-1]), at_bin(y_edges[..., :-1])
    slope_left, slope_right = at_bin(slope[..., :-1]), at_bin(slope[..., 1:])
    secant = height / width
    t = (clamped - left) / width
    tt = t * (1 - t)
    denominator = secant + (slope_left + slope_right - 2 * secant) * tt
    y = bottom + height * (secant * t * t + slope_left * tt) / denominator
    numerator = slope_right * t * t + 2 * secant * tt + slope_left * (1 - t) ** 2
    log_det = 2 * torch.log(secant) + torch.log(numerator) - 2 * torch.log(denominator)
    return torch.where(inside, y, x), torch.where(inside, log_det, torch.zeros_like(log_det))


class ResidualNetwork(nn.Module):
    def __init__(self, inputs, outputs, hidden=256, blocks=2):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.blocks = nn.ModuleList(
            [nn.ModuleList([nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)])
             for _ in range(blocks)])
        self.last = nn.Linear(hidden, outputs)

    def forward(self, x):
        h = self.first(x)
        for one, two in self.blocks:
            h = h + two(F.relu(one(F.relu(h))))
        return self.last(h)


class SplineCoupling(nn.Module):
    """Rational-quadratic spline coupling: 6 features, 10 layers, 8 bins."""

    def __init__(self, dim=6, layers=10, bins=8):
        super().__init__()
        self.half, self.bins = dim // 2, bins
        self.networks = nn.ModuleList(
            [ResidualNetwork(self.half, self.half * (3 * bins - 1)) for _ in range(layers)])

    def log_prob(self, x):
        log_det = 0
        for i, network in enumerate(self.networks):
            kept, changed = x[:, :self.half], x[:, self.half:]
            if i % 2:
                kept, changed = changed, kept
            raw = network(kept).view(-1, self.half, 3 * self.bins - 1)
            changed, part = rational_quadratic_spline(
                changed, *raw.split([self.bins, self.bins, self.bins - 1], -1))
            log_det = log_det + part.sum(1)
            x = torch.cat([changed, kept] if i % 2 else [kept, changed], 1)
        return standard_normal_log_prob(x) + log_det


class Planar(nn.Module):
    """Planar layers in the plane, drawing: samples and the logarithm of their density."""

    def __init__(self, layers=8):
        super().__init__()
        self.u, self.w = (nn.Parameter(torch.randn(layers, 2).double()) for _ in range(2))
        self.b = nn.Parameter(torch.randn(layers).double())

    def sample(self, rows):
        z = torch.randn(rows, 2, dtype=torch.float64)
        log_q = standard_normal_log_prob(z)
        s = (self.w * self.u).sum(1, keepdim=True)
        square = (self.w * self.w).sum(1, keepdim=True)
        u = self.u + (F.softplus(s) - 1 - s) * self.w / (square + 1e-10)
        slope = (self.w * u).sum(1)
        for i in range(len(u)):
            h = torch.tanh(z @ self.w[i] + self.b[i])
            z = z + h[:, None] * u[i]
            log_q = log_q - torch.log1p((1 - h * h) * slope[i])
        return z, log_q


def potential(z):
    """The log density pot1 (Rezende and Mohamed 2015, table 1)."""
    ring = -0.5 * ((z.norm(dim=1) - 2) / 0.4) ** 2
    return ring + torch.logaddexp(-0.5 * ((z[:, 0] - 2) / 0.6) ** 2,
                                  -0.5 * ((z[:, 0] + 2) / 0.6) ** 2)


def two_moons(rows):
    angle = math.pi * torch.rand(rows)
    upper = torch.stack([torch.cos(angle), torch.sin(angle)], 1)
    lower = torch.stack([1 - torch.cos(angle), 0.5 - torch.sin(angle)], 1)
    x = torch.where(torch.rand(rows, 1) < 0.5, upper, lower)
    return x + 0.05 * torch.randn(rows, 2)


def make_adam(model, kind):
    settings = {"fused": {"fused": True}, "foreach": {"foreach": True}, "loop": {"foreach": False}}
    return torch.optim.Adam(model.parameters(), lr=1e-4, **settings[kind])


def training_step(model, data, batch, options):
    optimiser = make_adam(model, options.adam)
    log_prob = torch.compile(model.log_prob) if options.compile else model.log_prob
    batches = data.split(batch)
    count = 0

    def step():
        nonlocal count
        loss = -log_prob(batches[count % len(batches)]).mean()
        count += 1
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def variational_step(rows):
    def make(options):
        model = Planar()
        optimiser = make_adam(model, options.adam)
        sample = torch.compile(model.sample) if options.compile else model.sample

        def step():
            z, log_q = sample(rows)
            loss = (log_q - potential(z)).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

        return step
    return make


def without_gradients(function, options):
    if options.compile:
        function = torch.compile(function)

    def call():
        with torch.inference_mode():
            function()

    return call


def realnvp_step(batch):
    return lambda options: training_step(RealNVP(), two_moons(4 * batch), batch, options)


def realnvp_score(rows):
    def make(options):
        model, x = RealNVP(), two_moons(rows)
        return without_gradients(lambda: model.log_prob(x), options)
    return make


def maf_score(rows):
    def make(options):
        model, x = Maf(), torch.randn(rows, 43)
        return without_gradients(lambda: model.log_prob(x), options)
    return make


def maf_sample(rows):
    def make(options):
        model = Maf()
        return without_gradients(lambda: model.sample(rows), options)
    return make


WORKLOADS = {
    "realnvp-step-100": realnvp_step(100),
    "realnvp-step-4096": realnvp_step(4096),
    "realnvp-score-1": realnvp_score(1),
    "maf-step-512": lambda o: training_step(Maf(), torch.randn(2048, 43), 512, o),
    "maf-score-1000": maf_score(1000),
    "maf-sample-1000": maf_sample(1000),
    "spline-step-512": lambda o: training_step(SplineCoupling(), torch.randn(2048, 6), 512, o),
    "vi-planar-step-100": variational_step(100),
}


def measure(name, options):
    torch.manual_seed(0)
    call = WORKLOADS[name](options)
    for _ in range(3):
        call()
    times = []
    begin = time.perf_counter()
    while time.perf_counter() - begin < options.seconds or len(times) < 3:
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    times.sort()
    last = len(times) - 1
    median, low, high = (times[round(q * last)] for q in (0.5, 0.1, 0.9))
    print(f"{name} {median:.5g} {low:.5g} {high:.5g}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="per workload, at least 3 calls")
    parser.add_argument("--adam", choices=["fused", "foreach", "loop"], default="fused")
    parser.add_argument("--compile", action="store_true", help="torch.compile the log density")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=" ".join(WORKLOADS))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.workloads or WORKLOADS:
        if name not in WORKLOADS:
            parser.error(f"no workload {name}; there are {', '.join(WORKLOADS)}")
        measure(name, options)


if __name__ == "__main__":
    main()
