import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { Field } from '../field.js';
import { orbit } from '../testing-scene.js';
import { type ImportOptions, importField } from './import-field.js';
import {
  encode,
  linear,
  randomWeights,
  relu,
  sigmoid,
  type TorchWeights,
  toNpz,
  toSafetensors,
} from './torch-network.test.fixture.js';

const box = { min: [-2, -1, -1], max: [1, 1, 1] } as const; // its edge is 3
const point = [0.3, -0.7, 0.45];
const direction = [0.6, 0, -0.8];

interface Seen {
  readonly density: number;
  readonly color: readonly number[];
}

/** yenchenlin's NeRF: the input again behind layer 1, a linear feature layer. */
function nerfPytorch(w: TorchWeights): Seen {
  let h = encode(point, 2);
  for (let i = 0; i < 3; i++) {
    h = relu(linear(w[`pts_linears.${i}`]!, h));
    if (i === 1) h = [...encode(point, 2), ...h];
  }
  const feature = linear(w['feature_linear']!, h);
  const view = relu(linear(w['views_linears.0']!, [...feature, ...encode(direction, 1)]));
  return { density: Math.max(linear(w['alpha_linear']!, h)[0]!, 0), color: sigmoid(linear(w['rgb_linear']!, view)) };
}
const NERF_PYTORCH = {
  'pts_linears.0': [8, 15],
  'pts_linears.1': [8, 8],
  'pts_linears.2': [8, 23],
  feature_linear: [8, 8],
  alpha_linear: [1, 8],
  'views_linears.0': [8, 17],
  rgb_linear: [3, 8],
} as const;

/** kwea123's NeRF: the input again before layer 2, counted from 1. */
function nerfPl(w: TorchWeights): Seen {
  let h = encode(point, 2);
  for (let i = 0; i < 2; i++) {
    if (i === 1) h = [...encode(point, 2), ...h];
    h = relu(linear(w[`nerf_fine.xyz_encoding_${i + 1}.0`]!, h));
  }
  const feature = linear(w['nerf_fine.xyz_encoding_final']!, h);
  const view = relu(linear(w['nerf_fine.dir_encoding.0']!, [...feature, ...encode(direction, 1)]));
  return {
    density: Math.max(linear(w['nerf_fine.sigma']!, h)[0]!, 0),
    color: sigmoid(linear(w['nerf_fine.rgb.0']!, view)),
  };
}
const NERF_PL = {
  'xyz_encoding_1.0': [8, 15],
  'xyz_encoding_2.0': [8, 23],
  xyz_encoding_final: [8, 8],
  sigma: [1, 8],
  'dir_encoding.0': [8, 17],
  'rgb.0': [3, 8],
} as const;

/** krrish94's FlexibleNeRFModel: no activation behind the first layer, the input again behind the hidden rows, ReLU features. */
function flexible(w: TorchWeights): Seen {
  let h = linear(w['layer1']!, encode(point, 2, false));
  h = relu(linear(w['layers_xyz.0']!, h));
  h = relu(linear(w['layers_xyz.1']!, [...h, ...encode(point, 2, false)]));
  const feature = relu(linear(w['fc_feat']!, h));
  const view = relu(linear(w['layers_dir.0']!, [...feature, ...encode(direction, 1, false)]));
  return { density: Math.max(linear(w['fc_alpha']!, h)[0]!, 0), color: sigmoid(linear(w['fc_rgb']!, view)) };
}
const FLEXIBLE = {
  layer1: [8, 12],
  'layers_xyz.0': [8, 8],
  'layers_xyz.1': [8, 20],
  fc_feat: [8, 8],
  fc_alpha: [1, 8],
  'layers_dir.0': [8, 14],
  fc_rgb: [3, 8],
} as const;

function withPrefix(prefix: string, weights: TorchWeights): TorchWeights {
  return Object.fromEntries(Object.entries(weights).map(([name, layer]) => [prefix + name, layer]));
}

/** Weights whose density at the test's point is not clamped. */
function visible(shapes: Readonly<Record<string, readonly [number, number]>>, density: string, seed: number): TorchWeights {
  const weights = randomWeights(shapes, seed);
  weights[density]!.bias[0]! += 5;
  return weights;
}

function compare(t: Test, file: string, expected: Seen, options: ImportOptions = {}): void {
  const { field, layout } = importField(file, { box, occupancy: 8, ...options });
  using again = Field.load(field.save());
  for (const each of [field, again]) {
    const { density, color } = each.evaluate(Float32Array.from(point), Float32Array.from(direction));
    t.ok(
      expected.density > 0 && Math.abs(density[0]! / expected.density - 1) < 1e-4,
      `density ${density[0]}, ${expected.density}`,
    );
    for (let c = 0; c < 3; c++)
      t.ok(Math.abs(color![c]! - expected.color[c]!) < 1e-5, `${layout}: ${color![c]}, ${expected.color[c]}`);
  }
  field.dispose();
}

test('networks of every known layout give what they give in PyTorch', (t) => {
  const folder = temporaryDirectory(t);
  const file = join(folder, 'weights');
  const first = visible(NERF_PYTORCH, 'alpha_linear', 1);
  for (const bytes of [toNpz(first), toSafetensors(first)]) {
    writeFileSync(file, bytes);
    compare(t, file, nerfPytorch(first));
  }
  const fine = withPrefix('nerf_fine.', visible(NERF_PL, 'sigma', 2));
  writeFileSync(file, toSafetensors({ ...withPrefix('nerf_coarse.', visible(NERF_PL, 'sigma', 3)), ...fine }));
  compare(t, file, nerfPl(fine));
  const third = visible(FLEXIBLE, 'fc_alpha', 4);
  writeFileSync(file, toNpz(withPrefix('model/', third)));
  compare(t, file, flexible(third));
  t.end();
});

test('a coarse network is imported beside the fine one and proposes its samples', (t) => {
  const folder = temporaryDirectory(t);
  const file = join(folder, 'weights.npz');
  const fine = withPrefix('fine.', visible(NERF_PYTORCH, 'alpha_linear', 5));
  const coarse = withPrefix('coarse.', visible(NERF_PYTORCH, 'alpha_linear', 6));
  writeFileSync(file, toNpz({ ...fine, ...coarse }));
  const own = (name: string): object =>
    Object.fromEntries(Object.entries(fine).map(([key, layer]) => [key.slice(name.length), layer]));
  compare(t, file, nerfPytorch(own('fine.') as TorchWeights), { coarsePrefix: 'coarse.' });
  const { field } = importField(file, { box, occupancy: 8, coarsePrefix: 'coarse.' });
  using _ = field;
  const camera = orbit(0.3, 0.2, 6, 8);
  const once = field.render(camera, { samplesPerRay: 192, exhaustive: true });
  const twice = field.render(camera, { importance: true, exhaustive: true });
  t.ok(twice.stats.samples > once.stats.samples, 'both networks were asked');
  for (let i = 0; i < 64; i++)
    t.ok(Math.abs(once.opacity[i]! - twice.opacity[i]!) < 0.02, `${once.opacity[i]}, ${twice.opacity[i]}`);
  const { field: alone } = importField(file, { box, occupancy: 8 });
  using __ = alone;
  t.throws(() => alone.render(camera, { importance: true }), { code: 'ERR_DAF_UNSUPPORTED' });
  t.throws(() => field.render(camera, { importance: { coarse: 0, fine: 3 } }), { code: 'ERR_DAF_BAD_OPTION' });
  writeFileSync(
    file,
    toNpz({
      ...fine,
      ...withPrefix('coarse.', randomWeights({ ...NERF_PYTORCH, 'views_linears.0': [16, 17], rgb_linear: [3, 16] })),
    }),
  );
  t.throws(() => importField(file, { coarsePrefix: 'coarse.' }), { code: 'ERR_DAF_BAD_DATA', message: /different shapes/ });
  t.end();
});

test('other names, a scaled encoding and an exponential density are told by a key map', (t) => {
  const folder = temporaryDirectory(t);
  const file = join(folder, 'weights.npz');
  const weights = randomWeights({ a1: [8, 15], f: [8, 8], d: [1, 8], v: [16, 11], c: [3, 16] });
  writeFileSync(file, toNpz(weights));
  const scaled = point.map((x) => x * Math.PI);
  const h = relu(linear(weights['a1']!, encode(scaled, 2)));
  const view = relu(linear(weights['v']!, [...linear(weights['f']!, h), ...encode(direction, 0)]));
  compare(
    t,
    file,
    { density: Math.exp(linear(weights['d']!, h)[0]!), color: sigmoid(linear(weights['c']!, view)) },
    {
      keyMap: {
        hidden: ['a*'],
        feature: 'f',
        density: 'd',
        view: 'v',
        color: 'c',
        densityActivation: 'exp',
        coordinateScale: Math.PI,
      },
    },
  );
  t.end();
});

test('what is not a known network is refused with the reason', (t) => {
  const folder = temporaryDirectory(t);
  const file = join(folder, 'weights.npz');
  const refused = (bytes: Uint8Array, message: RegExp, options: ImportOptions = {}): void => {
    writeFileSync(file, bytes);
    t.throws(() => importField(file, options), { code: 'ERR_DAF_BAD_DATA', message });
  };
  const good = randomWeights(NERF_PYTORCH);
  const changed = (name: string, shape: readonly [number, number]): Buffer =>
    toNpz({ ...good, ...randomWeights({ [name]: shape }) });
  refused(Buffer.from(''), /neither/);
  refused(Buffer.from('a pickle, or whatever'), /neither/);
  refused(toNpz(randomWeights({ 'net.0': [8, 15] })), /none of the known/);
  refused(toNpz(good), /behind the prefix/, { prefix: 'fine.' });
  refused(toNpz({ ...withPrefix('a.', good), ...withPrefix('b.', good) }), /several/);
  refused(changed('pts_linears.0', [8, 16]), /pts_linears\.0: 16 of its inputs should be an encoding/);
  refused(changed('pts_linears.1', [8, 9]), /pts_linears\.1 has 9 inputs/);
  refused(changed('pts_linears.1', [16, 8]), /pts_linears\.1 has 16 outputs/);
  refused(changed('feature_linear', [8, 7]), /feature_linear has 7 inputs/);
  refused(changed('alpha_linear', [2, 8]), /alpha_linear has 2 outputs/);
  refused(changed('views_linears.0', [8, 13]), /views_linears\.0: 5 of its inputs/);
  refused(changed('rgb_linear', [3, 9]), /rgb_linear has 9 inputs/);
  const { feature_linear: _, ...missing } = good;
  refused(toNpz(missing), /feature_linear/);
  const poisoned = randomWeights(NERF_PYTORCH);
  poisoned['pts_linears.1']!.weight[3] = Number.NaN;
  refused(toNpz(poisoned), /trunk\.1/);
  refused(toSafetensors(poisoned), /pts_linears\.1/);
  refused(toSafetensors(good).subarray(0, 700), /./);
  writeFileSync(file, toNpz(randomWeights({ ...NERF_PYTORCH, 'pts_linears.0': [12, 15] })));
  t.throws(() => importField(join(folder, 'none.npz')), { code: 'ERR_DAF_NOT_FOUND' });
  writeFileSync(file, toNpz(good));
  t.throws(() => importField(file, { box: { min: [0, 0, 0], max: [0, 1, 1] } }), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.end();
});
