import t from 'tap';
import type { CameraValues, FitOptions, HeadHandle, PoseOptions } from './index.js';
import { addon } from './index.js';

const noPose: PoseOptions = { focal: null, focalSpread: null, center: null, noise: null };
const noFit: FitOptions = {
  identityModes: null,
  expressionModes: null,
  noise: 0.01,
  expressionSpread: null,
  jaw: 'fixed',
  displacement: null,
};
const size = 256;

/** Turned about the vertical axis; yaw > 0 turns the face to its own left. */
function camera(yaw: number): CameraValues {
  const c = Math.cos(yaw);
  const s = Math.sin(yaw);
  return {
    rotation: Float32Array.of(c, 0, s, 0, 1, 0, -s, 0, c),
    translation: Float32Array.of(0, 0, -55),
    focal: 1.5 * size,
    center: Float32Array.of(size / 2, size / 2),
    width: size,
    height: size,
  };
}

function landmarks(head: HeadHandle, shape: Float32Array, at: CameraValues): Float32Array {
  const out = new Float32Array(136);
  addon()
    .headInfo(head)
    .landmarks.forEach((vertex, i) => {
      const p = [0, 1, 2].map(
        (row) =>
          [0, 1, 2].reduce((sum, k) => sum + (at.rotation[3 * row + k] ?? 0) * (shape[3 * vertex + k] ?? 0), 0) +
          (at.translation[row] ?? 0),
      );
      const [x = 0, y = 0, z = 0] = p;
      out[2 * i] = (at.center[0] ?? 0) + (at.focal * x) / -z;
      out[2 * i + 1] = (at.center[1] ?? 0) - (at.focal * y) / -z;
    });
  return out;
}

t.test('pose, fit, matte and texture of the embedded head', (t) => {
  const native = addon();
  const head = native.headLoad(null);
  const info = native.headInfo(head);
  const alpha = new Float32Array(info.identityNames.length).map((_, i) => (i < 10 ? ((i % 3) - 1) * 0.8 : 0));
  const truth = new Float32Array(info.positionCount * 3);
  native.headShape(head, alpha, new Float32Array(0), truth);

  const cameras = [camera(0.1), camera(0.6)];
  const seen = cameras.map((c) => landmarks(head, truth, c));
  const first = seen[1] ?? new Float32Array(136);
  const pose = native.estimatePose(head, first, null, size, size, noPose);
  t.ok(Math.abs(pose.yaw - 0.6) < 0.1, `yaw ${pose.yaw}`);
  t.ok(pose.inliers > 0.8);

  const views = seen.map((pixels) => ({ landmarks: pixels, weights: null, width: size, height: size, pose: noPose }));
  const fit = native.fitHead(head, views, noFit, null);
  t.equal(fit.identity.length, info.identityNames.length);
  t.equal(fit.displacement.length, truth.length);
  t.equal(fit.jaw, 'fixed');
  t.ok(fit.residual < 0.01, `residual ${fit.residual}`);
  t.ok(Math.abs((fit.views[1]?.yaw ?? 0) - 0.6) < 0.05);

  const matte = new Uint8Array(size * size);
  const photo = { data: new Uint8Array(size * size * 3).fill(140), width: size, height: size, channels: 3 as const };
  const textured = fit.views.map((view) => {
    const positions = new Float32Array(truth.length);
    native.headShape(head, fit.identity, view.expression, positions);
    for (let i = 0; i < positions.length; i++) positions[i] = (positions[i] ?? 0) + (fit.displacement[i] ?? 0);
    const own = new Uint8Array(size * size);
    native.headMatte(head, positions, view.camera, null, { refine: null }, null, own);
    return { positions, camera: view.camera, photo, matte: own, weight: view.trust };
  });
  const frontal = textured[0]?.matte ?? matte;
  t.equal(frontal[(size / 2) * size + size / 2], 255);
  t.equal(frontal[0], 0);

  const base = new Uint8Array(128 * 128 * 4).fill(200);
  const texture = new Uint8Array(base.length);
  const observed = new Uint8Array(128 * 128);
  const result = native.projectTexture(head, textured, base, 128, { removeLight: null, mirror: null }, null, texture, observed);
  t.ok(result.observedFraction > 0.2 && result.observedFraction < 0.9, `observed ${result.observedFraction}`);
  t.equal(result.lights.length, 2);
  const grey = observed.indexOf(255);
  t.ok(Math.abs((texture[4 * grey] ?? 0) - 140) < 12, `texel ${texture[4 * grey]}`);
  t.end();
});

t.test('what is wrong has a code', (t) => {
  const native = addon();
  const head = native.headLoad(null);
  const broken = new Float32Array(136).fill(5);
  t.throws(() => native.estimatePose(head, broken, null, size, size, noPose), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.throws(() => native.estimatePose(head, new Float32Array(10), null, size, size, noPose), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.throws(() => native.fitHead(head, [], noFit, null), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.throws(() => native.fitHead(head, [], {} as FitOptions, null), { code: 'ERR_DAF_BAD_ARGUMENT' });
  const good = landmarks(head, mean(head), camera(0));
  const view = { landmarks: good, weights: null, width: size, height: size, pose: noPose };
  t.throws(() => native.fitHead(head, [view], noFit, Int32Array.of(1, 0, 0)), { code: 'ERR_DAF_CANCELLED' });

  const positions = mean(head);
  const hair = { camera: camera(0), matte: new Uint8Array(size * size), weight: 1, bare: 0 };
  t.equal(native.fitHair(head, positions, [hair], null).length, positions.length);
  for (const views of [
    [{ ...hair, weight: 1e38 }],
    [{ ...hair, bare: 1.5 }],
    [{ ...hair, bare: undefined }],
    [{ ...hair, matte: new Uint8Array(7) }],
    [null],
    'views',
    new Array(2 ** 32 - 1),
  ]) {
    t.throws(() => native.fitHair(head, positions, views as never, null), { code: 'ERR_DAF_BAD_ARGUMENT' });
  }
  t.throws(() => native.fitHair(head, positions.fill(Number.NaN), [hair], null), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.throws(() => native.fitHair(head, mean(head), [hair], Int32Array.of(1, 0, 0)), { code: 'ERR_DAF_CANCELLED' });
  t.end();
});

function mean(head: HeadHandle): Float32Array {
  const out = new Float32Array(addon().headInfo(head).positionCount * 3);
  addon().headShape(head, new Float32Array(0), new Float32Array(0), out);
  return out;
}
