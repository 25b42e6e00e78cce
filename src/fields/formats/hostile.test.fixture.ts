import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { DafError } from '../../core/contracts/errors.js';
import { mutate } from '../../testing/mutate.js';
import { Random } from '../../testing/simulation/random.js';
import { Field } from '../field.js';
import { openWeights } from '../import/weights.js';
import { posesFromFile } from '../render/poses.js';
import { animateWebp } from '../render/webp.js';
import { readTransforms } from '../scenes/transforms.js';
import { sphereScene } from '../testing-scene.js';
import { earlierTraining } from '../train/checkpoint.js';
import { trainPlan } from '../train/options.js';
import { trainScene } from '../train/train-scene.js';
import type { TrainSceneOptions } from '../train/types.js';
import { readColmapBinary } from './colmap/binary.js';
import { readColmapText } from './colmap/text.js';
import { readNpz } from './npz.js';
import { floats, npy, zip } from './npz.test.fixture.js';
import { parsePly } from './ply.js';

const BEGUN: TrainSceneOptions = {
  threads: 1,
  steps: 1,
  samplesPerStep: 256,
  field: { kind: 'hashgrid', levels: 2, log2Entries: 8, finest: 16, occupancy: 8 },
};

/** A parser of files that come from elsewhere, and a valid one of them. */
interface Parser {
  readonly valid: Uint8Array;
  parse(bytes: Uint8Array): void | Promise<void>;
}

/** Whatever is done to a valid file, a parser accepts it or says what is wrong, soon and without much memory. @param go says whether to go on */
export async function feed(t: Test, folder: string, go: (round: number) => boolean): Promise<void> {
  for (const [name, { valid, parse }] of Object.entries(await parsers(folder))) {
    await parse(valid);
    const random = new Random(1);
    let refused = 0;
    let slowest = 0;
    let round = 0;
    for (; go(round); round++) {
      const bytes = mutate(valid, random);
      const began = performance.now();
      try {
        await parse(bytes);
      } catch (error) {
        refused += 1;
        const clear = DafError.is(error) && error.code !== 'ERR_DAF_INTERNAL';
        if (!clear) {
          writeFileSync(join(folder, 'found'), bytes);
          t.fail(`${name}, round ${round}: ${String(error)}`, { error, bytes: bytes.toString('base64').slice(0, 4000) });
          break;
        }
      }
      slowest = Math.max(slowest, performance.now() - began);
    }
    t.ok(refused > 0, `${name}: ${refused} of ${round} refused, ${slowest.toFixed(0)} ms at most`);
  }
}

async function parsers(folder: string): Promise<Record<string, Parser>> {
  const path = join(folder, 'input');
  const onDisk = (valid: Uint8Array, parse: (path: string) => void): Parser => ({
    valid,
    parse(bytes) {
      writeFileSync(path, bytes);
      parse(path);
    },
  });
  const small = {
    kind: 'hashgrid',
    box: { min: [-1, -1, -1], max: [1, 1, 1] },
    levels: 2,
    log2Entries: 8,
    finest: 16,
    occupancy: 8,
  } as const;
  using field = Field.create({ ...small, densityWidth: 8, colorWidth: 8 });
  const saved = field.save();
  const arrays = {
    a: npy({ descr: '<f4', shape: [2, 3], data: floats(1, 2, 3, 4, 5, 6) }),
    b: npy({ descr: '<i2', shape: [4], data: new Uint8Array(8) }),
  };
  const scene = sphereScene(2, 8);
  const plan = trainPlan(scene, BEGUN);
  for (const picture of ['a.png', 'b.png']) writeFileSync(join(folder, picture), '');
  return {
    npz: onDisk(zip(arrays), readAll),
    'npz, deflated': onDisk(zip(arrays, { deflate: true }), readAll),
    'npz, 64 bits': onDisk(zip(arrays, { zip64: true }), readAll),
    'ply, text': { valid: ply('ascii', Buffer.from('1 2 3\n4 5 6\n')), parse: (bytes) => void parsePly(bytes, 'p') },
    'ply, binary': { valid: ply('binary_little_endian', floats(1, 2, 3, 4, 5, 6)), parse: (bytes) => void parsePly(bytes, 'p') },
    ...colmap(join(folder, 'model')),
    field: { valid: saved, parse: (bytes) => Field.load(bytes).dispose() },
    weights: onDisk(saved, (file) => {
      using weights = openWeights(file);
      for (const name of weights.names) weights.read(name);
    }),
    'checkpoint of a training': onDisk(await checkpointOf(scene, join(folder, 'state')), (checkpoint) => {
      earlierTraining(plan, { checkpoint, resume: true });
    }),
    'transforms.json': onDisk(transforms(), (file) => void readTransforms(file)),
    poses: onDisk(transforms(), (file) => void posesFromFile(file, { width: 4, height: 4 })),
    webp: { valid: webp(), parse: (bytes) => void animateWebp([bytes], { width: 4, height: 4 }, 40) },
  };
}

function readAll(path: string): void {
  readNpz(path, 1 << 20);
}

async function checkpointOf(scene: ReturnType<typeof sphereScene>, checkpoint: string): Promise<Uint8Array> {
  (await trainScene(scene, { ...BEGUN, checkpoint })).field.dispose();
  // Without the tensors, which the core reads: they have targets of their own in native/fuzz.
  const state = readFileSync(checkpoint);
  return state.subarray(0, 8 + Number(state.readBigUInt64LE(0)));
}

function ply(format: string, body: Uint8Array): Uint8Array {
  const properties = ['x', 'y', 'z'].map((name) => `property float ${name}`);
  const head = ['ply', `format ${format} 1.0`, 'element vertex 2', ...properties, 'end_header', ''];
  return Buffer.concat([Buffer.from(head.join('\n')), body]);
}

function transforms(): Uint8Array {
  const matrix = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 4],
    [0, 0, 0, 1],
  ];
  const frames = ['a', 'b'].map((name) => ({ file_path: `${name}.png`, transform_matrix: matrix, k1: 0.1 }));
  return Buffer.from(
    JSON.stringify({ camera_model: 'OPENCV', w: 8, h: 8, fl_x: 9, fl_y: 9, cx: 4, cy: 4, aabb_scale: 2, frames }),
  );
}

function webp(): Uint8Array {
  const chunk = (name: string, bytes: number): Buffer => {
    const head = Buffer.alloc(8);
    head.write(name, 'latin1');
    head.writeUInt32LE(bytes, 4);
    return Buffer.concat([head, Buffer.alloc(bytes)]);
  };
  const body = Buffer.concat([Buffer.from('WEBP'), chunk('ALPH', 6), chunk('VP8 ', 20)]);
  const head = Buffer.alloc(8);
  head.write('RIFF', 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** One of the three files of a model is fed, the others are as they should be. */
function colmap(folder: string): Record<string, Parser> {
  const u64 = (v: number): Buffer => Buffer.from(BigUint64Array.of(BigInt(v)).buffer);
  const u32 = (...v: number[]): Buffer => Buffer.from(Uint32Array.from(v).buffer);
  const f64 = (...v: number[]): Buffer => Buffer.from(Float64Array.from(v).buffer);
  const image = [u32(1), f64(1, 0, 0, 0, 0, 0, 4), u32(1), Buffer.from('a.png\0'), u64(1), f64(3, 4), u64(7)];
  const files: Record<string, Buffer> = {
    'cameras.bin': Buffer.concat([u64(1), u32(1, 4), u64(16), u64(12), f64(20, 22, 8, 6, 0.1, 0.01, 0.001, 0.002)]),
    'images.bin': Buffer.concat([u64(1), ...image]),
    'points3D.bin': Buffer.concat([u64(1), u64(7), f64(1, 2, 3), Buffer.of(1, 2, 3), f64(0.4), u64(1), u32(1, 0)]),
    'cameras.txt': Buffer.from('# cameras\n1 OPENCV 16 12 20 22 8 6 0.1 0.01 0.001 0.002\n'),
    'images.txt': Buffer.from('# images\n1 1 0 0 0 0 0 4 1 a.png\n3 4 7\n'),
    'points3D.txt': Buffer.from('# points\n7 1 2 3 1 2 3 0.4 1 0\n'),
  };
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  const parser = ([name, valid]: [string, Buffer]): [string, Parser] => {
    const parse = async (bytes: Uint8Array): Promise<void> => {
      writeFileSync(join(folder, name), bytes);
      try {
        await (name.endsWith('.bin') ? readColmapBinary(folder) : readColmapText(folder));
      } finally {
        writeFileSync(join(folder, name), valid);
      }
    };
    return [`COLMAP ${name}`, { valid, parse }];
  };
  return Object.fromEntries(Object.entries(files).map(parser));
}
