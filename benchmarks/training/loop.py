"""The loop that both trainings share: learning rate by the step, averaged weights, checkpoints chosen on held-out pictures."""
import argparse
import copy
import json
import math
import os
import time

import torch

from together import Together


def arguments(steps):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="folder of daf dataset synth")
    parser.add_argument("--out", required=True, help="file for the best weights")
    parser.add_argument("--steps", type=int, default=steps, help="batches in all; a file OUT.finish begins the fall at once")
    parser.add_argument("--fall", type=int, default=4000, help="the last batches, over which the learning rate falls to zero")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--start", help="weights to go on from")
    parser.add_argument("--check", type=int, default=1500, help="batches between looks at held-out pictures")
    parser.add_argument("--worker", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1000 + args.worker)
    return args


class Average:
    """Exponential mean of a network's weights and statistics: steadier than any one step's (Polyak and Juditsky 1992)."""

    def __init__(self, net, keep=0.999):
        self.net, self.keep, self.steps = copy.deepcopy(net).eval(), keep, 0

    def follow(self, net):
        self.steps += 1
        # The first steps are not to be remembered.
        keep = min(self.keep, self.steps / (self.steps + 9))
        pairs = list(zip(self.net.state_dict().values(), net.state_dict().values()))
        real = [pair for pair in pairs if pair[0].is_floating_point()]
        with torch.no_grad():
            torch._foreach_lerp_([mine for mine, _ in real], [new for _, new in real], 1 - keep)
            for mine, new in pairs:
                if not mine.is_floating_point():
                    mine.copy_(new)


def train(args, net, loss, evaluate, finish=None):
    """loss(net) draws a batch and returns (loss, pictures); evaluate(net) returns (score, text, facts): the weights of the highest
    score are kept, with the facts beside them as JSON. finish(net) may better the averaged weights when the time is over.

    Where the CPU multiplies bfloat16 it does so for the loss; elsewhere that would only be slower."""
    if args.start:
        net.load_state_dict(torch.load(args.start, weights_only=True))
    narrow = has_bf16()
    print(sum(p.numel() for p in net.parameters()), "parameters", "bfloat16" if narrow else "float32", flush=True)
    together = Together(args.out + ".workers", args.worker, args.workers)
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=1e-4)
    average = Average(net)
    best, step, seen, recent, steps = -math.inf, 0, 0, None, args.steps

    def check(name):
        nonlocal best
        score, text, facts = evaluate(average.net)
        print(f"{name}step {step}, {seen} seen, loss {recent or 0:.4f}, {text}, cpu {time.process_time():.0f} s", flush=True)
        if score > best:
            best = score
            torch.save(average.net.state_dict(), args.out)
            with open(args.out + ".json", "w") as file:
                json.dump(facts, file)

    # Steps, not the clock: who else uses the machine is not to change what is learnt.
    wish = args.out + ".finish"
    if args.worker == 0 and os.path.exists(wish):
        os.remove(wish)
    falling = False
    while step < steps:
        if not falling and step % 20 == 0 and os.path.exists(wish):
            steps, falling = min(steps, step + args.fall), True
        for group in optimiser.param_groups:
            group["lr"] = args.rate * min(1, (step + 1) / 150, (steps - step) / args.fall)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=narrow):
            value, pictures = loss(net)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        average.follow(net)
        step += 1
        seen += pictures
        recent = value.item() if recent is None else 0.99 * recent + 0.01 * value.item()
        if step % 20 == 0:
            together.meet(net)
        if args.worker == 0 and step % args.check == 0:
            check("")
    if args.worker == 0:
        check("last: ")
        if finish is not None:
            finish(average.net)
            check("finished: ")


def has_bf16():
    """Does the CPU have instructions for it? PyTorch emulates them elsewhere."""
    try:
        with open("/proc/cpuinfo") as file:
            text = file.read()
            return any(flag in text for flag in ("avx512_bf16", "amx_bf16", " bf16"))
    except OSError:
        return False
