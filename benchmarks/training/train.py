"""One command from nothing to the models that DAF carries: renders faces, trains both networks on them, writes ONNX files and figures.

    python3 benchmarks/training/train.py --out training

It keeps a Python environment of its own in OUT (about 6 GB, of which PyTorch needs the most) and goes on where it was cut. `npm ci` and
`npm run build` come first. With DAF_SHARED_DATA naming a folder that has heads/ict_facekit, half the faces have that head's shape."""
import argparse
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = {"landmarks": 30000, "detector": 12000}
ROOT = os.path.dirname(os.path.dirname(HERE))


def environment(out):
    python = os.path.join(out, "venv", "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", os.path.join(out, "venv")], check=True)
    if subprocess.run([python, "-c", "import torch, onnx, numpy"], stderr=subprocess.DEVNULL).returncode != 0:
        subprocess.run([python, "-m", "pip", "install", "--quiet", "torch", "numpy", "onnx"], check=True)
    return python


def other_head(out):
    """head.safetensors of the ICT head, or None where its data is missing."""
    folder = os.path.join(os.environ.get("DAF_SHARED_DATA", ""), "heads", "ict_facekit")
    file = os.path.join(out, "ict.safetensors")
    if "DAF_SHARED_DATA" not in os.environ or not os.path.isdir(folder):
        return None
    if not os.path.exists(file):
        module = os.path.join(ROOT, "dist", "benchmarks", "faces", "ict-head.js")
        code = f"import({json.dumps(module)}).then((m) => m.writeIctHead({json.dumps(folder)}, {json.dumps(file)}))"
        subprocess.run(["node", "-e", code], check=True)
    return file


def run_all(commands, log):
    """Side by side; the first that fails ends them all."""
    running = [subprocess.Popen(command, cwd=HERE, stdout=log, stderr=log) for command in commands]
    while running:
        time.sleep(1)
        for process in list(running):
            if process.poll() is None:
                continue
            running.remove(process)
            if process.returncode != 0:
                for other in running:
                    other.kill()
                sys.exit(f"{' '.join(process.args)} failed; see train.log")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder for pictures, weights and results")
    parser.add_argument("--crops", type=int, default=20000, help="pictures for the landmarks")
    parser.add_argument("--scenes", type=int, default=8000, help="pictures for the detector")
    parser.add_argument("--steps", type=float, default=1, help="of training, as a multiple of the usual number")
    parser.add_argument("--workers", type=int, default=1, help="processes a network")
    args = parser.parse_args()
    out = os.path.abspath(args.out)
    data = os.path.join(out, "data")
    os.makedirs(data, exist_ok=True)
    python = environment(out)
    second = other_head(out)
    log = open(os.path.join(out, "train.log"), "a")
    cli = ["node", os.path.join(ROOT, "dist", "cli", "main.js"), "dataset", "synth", data]
    renders = []
    for seed, head in ((101, None), (404, second)):
        if seed == 404 and head is None:
            continue
        share = 1 if second is None else 2
        extra = [] if head is None else ["--head", head]
        for form, side, count, shift in (("crops", 144, args.crops, 0), ("scenes", 256, args.scenes, 1)):
            renders.append(
                cli + ["--form", form, "--side", str(side), "--count", str(count // share), "--seed", str(seed + shift)] + extra
            )
    print(f"rendering in {len(renders)} processes")
    run_all(renders, log)
    print("training; train.log says how it goes")
    weights = {name: os.path.join(out, f"{name}.pt") for name in ("landmarks", "detector")}
    run_all(
        [
            [python, f"train_{name}.py", "--data", data, "--out", file, "--steps", str(round(args.steps * STEPS[name]))]
            + ["--worker", str(worker), "--workers", str(args.workers)]
            for name, file in weights.items()
            for worker in range(args.workers)
        ],
        log,
    )
    files = {"landmarks": "faces-68.onnx", "detector": "faces-detector.onnx"}
    for name, file in files.items():
        subprocess.run([python, "export.py", name, weights[name], os.path.join(out, file)], cwd=HERE, check=True)
    print(f"{out}: {', '.join(files.values())}; copy them to native/head/data and run npm run eval:faces")


if __name__ == "__main__":
    main()
