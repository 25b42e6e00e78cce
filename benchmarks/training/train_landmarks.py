"""Trains the landmarker; keeps the weights that do best on held-out synthetic faces."""
import argparse
import time

import torch

from data import Shards, crops
from nets import Landmarker
from together import Together


def wing(error, width=0.06, curve=0.012):
    """Feng et al. 2018: steeper than L1 near zero; in shares of the square."""
    shift = width - width * torch.log1p(torch.tensor(width / curve))
    return torch.where(error < width, width * torch.log1p(error / curve), error - shift)


def evaluate(net, held):
    net.eval()
    errors = []
    with torch.no_grad():
        for start in range(0, sum(held.sizes), 250):
            planes, truth, _ = held.take(range(start, min(start + 250, sum(held.sizes))))
            planes, target = crops(planes, truth, False)
            points, _ = net(planes)
            apart = (points - target).view(-1, 68, 2).norm(dim=2).mean(1)
            eyes = (target.view(-1, 68, 2)[:, 36] - target.view(-1, 68, 2)[:, 45]).norm(dim=1)
            box = target.view(-1, 68, 2)
            size = ((box.amax(1) - box.amin(1)).prod(1)).sqrt()
            errors.append(torch.stack([apart / size, apart / eyes.clamp(min=0.1)], 1))
    net.train()
    return torch.cat(errors).mean(0).tolist()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--minutes", type=float, default=50, help="wall clock; the learning rate falls to zero over it")
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--start", help="weights to go on from")
    parser.add_argument("--worker", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    shards, held = Shards(args.data, "crops", 144, False), Shards(args.data, "crops", 144, True)
    planes, truth, _ = shards.take(range(min(500, sum(shards.sizes))))
    net = Landmarker(crops(planes, truth, False)[1].mean(0)).to(memory_format=torch.channels_last)
    print(sum(p.numel() for p in net.parameters()), "parameters")
    if args.start:
        net.load_state_dict(torch.load(args.start, weights_only=True))
    together = Together(args.out + ".workers", args.worker, args.workers)
    torch.manual_seed(1000 + args.worker)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-4)
    start, best, step, seen, recent = time.time(), 1e9, 0, 0, 0.0
    checked = start
    order = []
    while True:
        share = (time.time() - start) / (60 * args.minutes)
        if share >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 100) * max(0.005, 0.5 * (1 + torch.cos(torch.tensor(3.14159 * share)).item()))
        if len(order) < args.batch:
            order = torch.randperm(shards.grow()).tolist()
        batch, order = order[: args.batch], order[args.batch :]
        planes, truth, _ = shards.take(batch)
        planes, target = crops(planes, truth, True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            points, spread = net(planes.contiguous(memory_format=torch.channels_last))
        points, spread = points.float(), spread.float().clamp(min=1e-3)
        error = (points - target).abs()
        mean_error = (points - target).detach().view(-1, 68, 2).norm(dim=2).mean(1, keepdim=True)
        loss = wing(error).mean() + 2e-4 * (mean_error / spread + torch.log(spread)).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % 40 == 0:
            together.meet(net)
        seen += len(batch)
        recent = 0.98 * recent + 0.02 * mean_error.mean().item() if step > 1 else mean_error.mean().item()
        if args.worker == 0 and (time.time() - checked > 240 or step == 60):
            held.grow()
            scores = evaluate(net, held)
            print(
                f"{(time.time() - start) / 60:.1f} min, step {step}, {seen} of {sum(shards.sizes)}, train {recent:.4f}, "
                f"held-out box {scores[0]:.4f} eyes {scores[1]:.4f}, cpu {time.process_time():.0f} s",
                flush=True,
            )
            checked = time.time()
            if scores[0] < best:
                best = scores[0]
                torch.save(net.state_dict(), args.out)
    if args.worker > 0:
        return
    together.meet(net)
    scores = evaluate(net, held)
    print("last", scores)
    if scores[0] < best:
        torch.save(net.state_dict(), args.out)


if __name__ == "__main__":
    main()
