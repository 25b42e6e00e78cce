import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import tap from 'tap';
import { addon } from '../../../core/addon/index.js';
import type { Emit, MapRecord, TaskContext } from '../../../core/contracts/stage.js';
import { dafVersion } from '../../../core/version.js';
import { Cluster } from '../../../engine/cluster/cluster.js';
import { temporaryDirectory } from '../../../testing/engine-fixture.js';
import { parseLandmarks } from '../../vision/sidecar.js';
import job, { setRecords } from './job.js';

// What is true of a set is read from its files alone, the way its dataset.json says.

interface Truth {
  readonly photo: string;
  readonly mask: string;
  readonly person: string;
  readonly category: string;
  readonly width: number;
  readonly height: number;
  readonly camera: { rotation: number[]; translation: number[]; focal: number; center: number[] };
  readonly landmarks: [number, number][];
  readonly identity: number[];
  readonly expression: number[];
  readonly pose: { yaw: number };
  readonly variant: { of: string; mirror: boolean; matrix: number[][] } | null;
}

const PHOTOS = 14;
const params = { mix: 'private-synthetic', seed: '1', count: String(PHOTOS), scale: '0.125', daf: dafVersion() };
const out = join(temporaryDirectory(tap), 'set');
{
  await using cluster = await Cluster.local({ workers: 2 });
  const set = { mix: 'private-synthetic', seed: 1, count: PHOTOS, scale: 0.125 } as const;
  await (await cluster.submit(job, { input: { items: setRecords(set) }, itemsPerSplit: 1, output: out, params })).result();
}
const about = JSON.parse(readFileSync(join(out, 'dataset.json'), 'utf8')) as { landmarkVertices: number[] };
const truths = readFileSync(join(out, 'photos.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { path: string }).path)
  .map((path) => JSON.parse(readFileSync(join(out, path.replace(/^photos/, 'truth').replace(/jpg$/, 'json')), 'utf8')) as Truth);

/** head.safetensors by its format: the length of a JSON header, the header, the tensors. */
function tensors(): (name: string) => Float32Array | Uint32Array {
  const file = readFileSync(join(out, 'truth/head.safetensors'));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, start).toString()) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  return (name) => {
    const { dtype, data_offsets: at } = header[name]!;
    const bytes = new Uint8Array(file.subarray(start + at[0], start + at[1])).buffer;
    return dtype === 'F32' ? new Float32Array(bytes) : new Uint32Array(bytes);
  };
}
const tensor = tensors();
const [mean, identityModes, expressionModes] = ['mean', 'identity', 'expression'].map((name) => tensor(name) as Float32Array);

function shape(identity: readonly number[], expression: readonly number[]): Float32Array {
  const positions = Float32Array.from(mean!);
  const add = (modes: Float32Array, weights: readonly number[]): void => {
    for (const [k, weight] of weights.entries()) {
      if (weight !== 0) for (let i = 0; i < positions.length; i++) positions[i]! += weight * modes[k * positions.length + i]!;
    }
  };
  add(identityModes!, identity);
  add(expressionModes!, expression);
  return positions;
}

/** rotation · head + translation; x = center + focal · X / −Z, y = center − focal · Y / −Z. */
function pixelOf({ camera }: Truth, positions: Float32Array, vertex: number): [number, number] {
  const point = positions.subarray(3 * vertex, 3 * vertex + 3);
  const [x, y, z] = [0, 1, 2].map((row) => {
    return camera.translation[row]! + point.reduce((sum, value, k) => sum + value * camera.rotation[3 * row + k]!, 0);
  });
  return [camera.center[0]! - (camera.focal * x!) / z!, camera.center[1]! + (camera.focal * y!) / z!];
}

const apart = (a: readonly number[], b: readonly number[]): number => Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!);

tap.test('the rebuilt head, through the stated camera, meets the stated landmarks: in variants too', async (t) => {
  const [starts, candidates] = [tensor('contour_start'), tensor('contour')];
  for (const truth of truths) {
    const positions = shape(truth.identity, truth.expression);
    let [worst, ownJaw] = [0, 0];
    for (const [k, vertex] of about.landmarkVertices.entries()) {
      const own = apart(pixelOf(truth, positions, vertex), truth.landmarks[k]!);
      if (k >= 17) worst = Math.max(worst, own);
      else if (own < 0.01) ownJaw += 1;
      else {
        // The jaw's own vertex hides: the point is one of the candidates of its line.
        const line = [...candidates.subarray(starts[k]!, starts[k + 1]!)];
        worst = Math.max(worst, Math.min(...line.map((each) => apart(pixelOf(truth, positions, each), truth.landmarks[k]!))));
      }
    }
    t.ok(worst < 0.01, `${truth.photo}: ${worst}`);
    if (Math.abs(truth.pose.yaw) < 0.2) t.ok(ownJaw >= 12, `${truth.photo} looks at us: ${ownJaw} of the jaw show`);
  }
  t.ok(truths.filter(({ pose }) => Math.abs(pose.yaw) < 0.2).length >= 4, 'some look at us');
});

tap.test('above the chin the mask is the silhouette of the rebuilt head', async (t) => {
  const native = addon();
  const source = tensor('source') as Uint32Array;
  const triangles = tensor('triangles') as Uint32Array;
  for (const truth of truths) {
    const { camera, width, height, landmarks } = truth;
    const values = {
      rotation: Float32Array.from(camera.rotation),
      translation: Float32Array.from(camera.translation),
      focal: camera.focal,
      center: Float32Array.from(camera.center),
      width,
      height,
    };
    const silhouette = new Uint8Array(width * height);
    const positions = shape(truth.identity, truth.expression);
    native.renderMeshMask({ positions, triangles, source, uv: null }, values, null, silhouette);
    const mask = sharp(join(out, truth.mask));
    t.match(await mask.metadata(), { width, height, channels: 1, depth: 'uchar' }, '8 bits of grey');
    const data = await mask.toColourspace('b-w').raw().toBuffer();
    const [chin, brow] = [landmarks[8]!, landmarks[27]!];
    let [both, either, outside] = [0, 0, 0];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [a, b] = [data[y * width + x]!, silhouette[y * width + x]!];
        outside += Math.max(0, a - b);
        if ((x - chin[0]) * (brow[0] - chin[0]) + (y - chin[1]) * (brow[1] - chin[1]) < 0) continue;
        both += Math.min(a, b);
        either += Math.max(a, b);
      }
    }
    t.ok(both / either > 0.94, `${truth.photo}: ${both / either}`);
    t.ok(outside / either < 0.02, `${truth.photo}: ${outside / either} lies outside of the head`);
  }
});

tap.test('landmarks of a variant are those of its photo, moved by its matrix and named after their side', (t) => {
  // Corners of eyes and mouth, ends of brows and jaw, chin, tip of the nose.
  const pairs = [36, 45, 39, 42, 48, 54, 17, 26, 0, 16] as const;
  const mirrorOf = new Map<number, number>([
    [8, 8],
    [30, 30],
  ]);
  for (let i = 0; i < pairs.length; i += 2) mirrorOf.set(pairs[i]!, pairs[i + 1]!).set(pairs[i + 1]!, pairs[i]!);
  const variants = truths.filter(({ variant }) => variant !== null);
  t.equal(variants.length, 3);
  t.ok(variants.some(({ variant }) => variant!.mirror));
  for (const { photo, landmarks, variant, person, expression } of variants) {
    const of = truths.find((each) => each.photo === variant!.of)!;
    t.equal(of.person, person);
    for (const [one, other] of mirrorOf) {
      const [x, y] = of.landmarks[variant!.mirror ? other : one]!;
      const moved = variant!.matrix.map(([a, b, c]) => a! * x + b! * y + c!);
      t.ok(apart(moved, landmarks[one]!) < 0.001, `${photo}: ${one}`);
    }
    t.same([...expression].sort(), [...of.expression].sort());
  }
  t.end();
});

tap.test('side-cars say the same as the truth, and neutral meshes are the identity', (t) => {
  for (const { photo, landmarks, width, height } of truths) {
    const file = photo.replace(/jpg$/, 'pts');
    const points = parseLandmarks(file, readFileSync(join(out, file)), width, height);
    t.ok(
      landmarks.every((each, k) => apart(each, [points[2 * k]!, points[2 * k + 1]!]) < 0.002),
      file,
    );
  }
  for (const person of ['person-000000', 'person-000001']) {
    const ply = readFileSync(join(out, 'truth', person, 'neutral.ply'));
    const start = ply.indexOf('end_header\n') + 11;
    t.match(
      ply.subarray(0, start).toString(),
      /comment daf: centimetres; \+x the left of the person, \+y up, \+z out of the face\n/,
    );
    const expected = shape(truths.find((each) => each.person === person)!.identity, []);
    const written = Float32Array.from(expected, (_, i) => ply.readFloatLE(start + 4 * i));
    t.ok(
      written.every((value, i) => Math.abs(value - expected[i]!) < 1e-4),
      person,
    );
  }
  t.end();
});

tap.test('a worker of another version makes no part of a set', async (t) => {
  const map = (job as { map: (record: MapRecord, emit: Emit, context: TaskContext) => Promise<void> }).map;
  const record = { key: new Uint8Array(0), value: new TextEncoder().encode('0'), source: 'memory', offset: 0 };
  const context = { params: { ...params, daf: '0.0.0' } } as unknown as TaskContext;
  await t.rejects(
    map(record, () => t.fail('it made something'), context),
    { code: 'ERR_DAF_UNSUPPORTED', message: /0\.0\.0/ },
  );
});
