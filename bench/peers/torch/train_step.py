"""The twins of bench/rig.ts in PyTorch eager: sparse Adagrad on the table, fused Adam on the rest.

Reads rows.i32 and labels.f32 from the working directory; a line `round` on standard input makes `--steps` steps and
answers {"ms", "processor_ms"} per step, `version` answers the version and the number of threads.
"""

import argparse
import json
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

FIELDS, DIM, VOCABULARY, BATCHES = 16, 16, 62500, 8
HIDDEN, WIDTH, TOWER = 256, 128, 64


def expert(inputs):
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, WIDTH), nn.ReLU())


def experts(count):
    return nn.ModuleList([expert(FIELDS * DIM) for _ in range(count)])


def mix(gate, outputs):
    """gate [B, K], outputs [B, K, h] -> [B, h]."""
    return torch.bmm(torch.softmax(gate, 1).unsqueeze(1), outputs).squeeze(1)


class Twin(nn.Module):
    """What all of them have: a table of a million rows and a tower per task."""

    def __init__(self, tasks, columns=DIM):
        super().__init__()
        self.tasks = tasks
        self.table = nn.Embedding(FIELDS * VOCABULARY, columns, sparse=True)
        nn.init.normal_(self.table.weight, std=0.05)
        self.towers = nn.ModuleList(
            [nn.Sequential(nn.Linear(WIDTH, TOWER), nn.ReLU(), nn.Linear(TOWER, 1)) for _ in range(tasks)]
        )

    def forward(self, rows):
        return [tower(h).squeeze(1) for tower, h in zip(self.towers, self.tower_inputs(self.table(rows)))]


class MMoE(Twin):
    def __init__(self, tasks):
        super().__init__(tasks)
        self.shared = experts(8)
        self.gates = nn.ModuleList([nn.Linear(FIELDS * DIM, 8) for _ in range(tasks)])

    def tower_inputs(self, embedded):
        x = embedded.flatten(1)
        outputs = torch.stack([one(x) for one in self.shared], 1)
        return [mix(gate(x), outputs) for gate in self.gates]


class PLE(Twin):
    def __init__(self, tasks):
        super().__init__(tasks)
        self.shared = experts(4)
        self.own = nn.ModuleList([experts(2) for _ in range(tasks)])
        self.gates = nn.ModuleList([nn.Linear(FIELDS * DIM, 6) for _ in range(tasks)])

    def tower_inputs(self, embedded):
        x = embedded.flatten(1)
        common = [one(x) for one in self.shared]
        return [
            mix(gate(x), torch.stack([one(x) for one in own] + common, 1))
            for own, gate in zip(self.own, self.gates)
        ]


class STEM(Twin):
    def __init__(self, tasks):
        super().__init__(tasks, (tasks + 1) * DIM)
        candidates = 2 * tasks + 4
        self.shared = experts(4)
        self.own = nn.ModuleList([experts(2) for _ in range(tasks)])
        self.gates = nn.ModuleList(
            [nn.Sequential(nn.Linear(FIELDS * DIM, 64), nn.ReLU(), nn.Linear(64, candidates)) for _ in range(tasks)]
        )

    def tower_inputs(self, embedded):
        slices = [part.flatten(1) for part in embedded.split(DIM, 2)]
        common = [one(slices[-1]) for one in self.shared]
        own = [[one(x) for one in group] for group, x in zip(self.own, slices)]
        stopped = [[output.detach() for output in group] for group in own]
        inputs = []
        for task, gate in enumerate(self.gates):
            groups = [own[other] if other == task else stopped[other] for other in range(self.tasks)]
            outputs = torch.stack([output for group in groups for output in group] + common, 1)
            inputs.append(mix(gate(slices[task] + slices[-1]), outputs))
        return inputs


def project_conflicts(gradients):
    """PCGrad (Yu et al. 2020) on flat task gradients, in order."""
    kept = []
    for i, gradient in enumerate(gradients):
        out = gradient.clone()
        for j, other in enumerate(gradients):
            inner = torch.dot(out, other)
            if i != j and inner < 0:
                out -= inner / other.dot(other) * other
        kept.append(out)
    return sum(kept)


class Training:
    def __init__(self, options):
        torch.manual_seed(1)
        self.model = {"mmoe": MMoE, "ple": PLE, "stem": STEM}[options.model](options.tasks)
        self.per_task = options.backward == "per-task"
        dense = [value for name, value in self.model.named_parameters() if not name.startswith("table.")]
        self.common = [v for n, v in self.model.named_parameters() if n.startswith("shared.")]
        self.sparse = torch.optim.Adagrad([self.model.table.weight], lr=0.05, initial_accumulator_value=0.1)
        self.dense = torch.optim.Adam(dense, lr=1e-3, fused=True)
        rows = numpy.fromfile("rows.i32", numpy.int32).reshape(BATCHES, FIELDS, options.batch)
        labels = numpy.fromfile("labels.f32", numpy.float32).reshape(BATCHES, options.tasks, options.batch)
        self.rows = torch.from_numpy(numpy.ascontiguousarray(rows.transpose(0, 2, 1)).astype(numpy.int64))
        self.labels = torch.from_numpy(labels)

    def step(self, at):
        rows, labels = self.rows[at % BATCHES], self.labels[at % BATCHES]
        self.sparse.zero_grad()
        self.dense.zero_grad()
        logits = self.model(rows)
        losses = [functional.binary_cross_entropy_with_logits(z, y) for z, y in zip(logits, labels)]
        if self.per_task:
            self.backward_per_task(losses)
        else:
            sum(losses).backward()
        self.sparse.step()
        self.dense.step()

    def backward_per_task(self, losses):
        """As libraries of balancers do it: the whole way back for every task, which leaves sums for what is not shared."""
        gradients = []
        for loss in losses:
            for value in self.common:
                value.grad = None
            loss.backward(retain_graph=True)
            gradients.append(torch.cat([value.grad.flatten() for value in self.common]))
        combined = project_conflicts(gradients).split([value.numel() for value in self.common])
        for value, part in zip(self.common, combined):
            value.grad = part.view_as(value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=["mmoe", "ple", "stem"], required=True)
    parser.add_argument("--backward", choices=["sum", "per-task"], required=True)
    for name in ("batch", "tasks", "steps"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    training = Training(options)
    for line in sys.stdin:
        if line.strip() == "version":
            answer = {"version": torch.__version__, "threads": torch.get_num_threads()}
        else:
            started, before = time.perf_counter(), time.process_time()
            for at in range(options.steps):
                training.step(at)
            elapsed, used = time.perf_counter() - started, time.process_time() - before
            answer = {"ms": elapsed * 1000 / options.steps, "processor_ms": used * 1000 / options.steps}
        print(json.dumps(answer), flush=True)


main()
