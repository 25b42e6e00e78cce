import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Field } from '#daf/fields/index.js';
import { evaluate } from '#daf/fields/render/evaluate.js';
import { RenderPool } from '#daf/fields/render/pool.js';
import { openScene } from '#daf/fields/scenes/open.js';
import type { Scene } from '#daf/fields/scenes/types.js';
import { trainPlan } from '#daf/fields/train/options.js';
import { SceneSession } from '#daf/fields/train/session.js';
import { writeBrickSet } from '#daf/testing/bricks/write-set.js';
import { writeRays } from './rays.js';
import type { FieldKind, TorchPeer } from './torch.js';

/** What a training from nothing did in its time. */
export interface Learnt {
  /** Rays a second of computing time, the optimiser and everything else included. */
  readonly rays: number;
  /** Of held-out pictures, dB. */
  readonly psnr: number;
}

export interface WholeTraining {
  readonly kind: FieldKind;
  /** Computing time of each, in turns. */
  readonly seconds: number;
  readonly turns: number;
  /** Pixels along a picture's side. */
  readonly size: number;
  readonly pictures: number;
}

/**
 * A field trained from nothing by both on one thread: random pixels of the same pictures of a brick set over white, turn by turn. Each has its
 * published settings: PyTorch takes 1024 rays a step and 64 stratified samples of each, DAF its defaults.
 */
export async function wholeTraining(peer: TorchPeer, what: WholeTraining): Promise<{ ours: Learnt; theirs: Learnt }> {
  const folder = mkdtempSync(join(tmpdir(), 'daf-bench-'));
  try {
    await writeBrickSet(join(folder, 'bricks'), { size: what.size, train: what.pictures, val: 1, test: 2 });
    const scene = await openScene(join(folder, 'bricks'), { background: 'white' });
    await peer.load(what.kind, await writeRays(scene, [1, 1, 1], folder));
    return await inTurns(peer, scene, what);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inTurns(peer: TorchPeer, scene: Scene, { kind, seconds, turns }: WholeTraining) {
  const plan = trainPlan(scene, {
    field: kind === 'classic' ? { kind } : { kind, levels: 16, features: 2, log2Entries: 17, coarsest: 16, finest: 512 },
    threads: 1,
    background: 'scene',
    seconds,
  });
  using field = Field.create(plan.field);
  const learn = scene.frames.filter(({ split }) => split === 'train');
  await using session = await SceneSession.open(field, learn, plan.session);
  const ours = { rays: 0, seconds: 0 };
  const theirs = { rays: 0, seconds: 0 };
  for (let turn = 1; turn <= turns; turn++) {
    const until = (seconds * turn) / turns;
    const step = await peer.train(until - theirs.seconds);
    theirs.rays += step.rays;
    theirs.seconds += step.seconds;
    while (ours.seconds < until) {
      const used = process.cpuUsage();
      const done = ours.seconds / seconds;
      ours.rays += (await session.run(4, done, done)).rays;
      const { user, system } = process.cpuUsage(used);
      ours.seconds += (user + system) / 1e6;
    }
  }
  session.useAverage(true);
  await using pool = new RenderPool(field, 1);
  const test = scene.frames.filter(({ split }) => split === 'test');
  const { psnr } = await evaluate(pool, test, { background: [1, 1, 1], look: {} });
  return {
    ours: { rays: ours.rays / ours.seconds, psnr },
    theirs: { rays: theirs.rays / theirs.seconds, psnr: await peer.psnr() },
  };
}
