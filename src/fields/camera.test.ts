import { test } from 'tap';
import { DafError } from '../core/contracts/errors.js';
import { cameraPosition, packCamera, pixelRays, projectPoints } from './camera.js';
import { orbit } from './testing-scene.js';
import type { FieldCamera, LensDistortion } from './types.js';

const camera: FieldCamera = {
  rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  translation: [0, 0, 0],
  focal: [800, 600],
  center: [320, 240],
  width: 640,
  height: 480,
};

function pixelOf(distortion: LensDistortion | undefined, point: number[]): number[] {
  const lens = distortion === undefined ? {} : { distortion };
  return [...projectPoints({ ...camera, ...lens }, Float32Array.from(point)).pixels];
}

test('points fall on the pixels computed by hand, and the pixels see the points', (t) => {
  const point = [1, -0.5, -2];
  t.same(pixelOf(undefined, point), [720, 390]);
  // r² = 0.3125: radial factor 1.0322265625, tangential terms 0.001875 and 0.0009375.
  const lens: LensDistortion = { model: 'opencv', k1: 0.1, k2: 0.01, p1: 0.001, p2: 0.002 };
  const bent = pixelOf(lens, point);
  t.ok(Math.hypot(bent[0]! - 734.390625, bent[1]! - 395.396484) < 1e-3, String(bent));
  // 45° to the right: θ (1 + 0.1 θ²) = 0.8338459.
  const fish = pixelOf({ model: 'opencv_fisheye', k1: 0.1 }, [3, 0, -3]);
  t.ok(Math.hypot(fish[0]! - (320 + 800 * 0.8338459), fish[1]! - 240) < 1e-3, String(fish));
  const ray = pixelRays({ ...camera, distortion: lens }, Float32Array.from(bent));
  t.ok(Math.hypot(ray[0]! / ray[2]! + 0.5, ray[1]! / ray[2]! - 0.25) < 1e-6, String(ray));
  t.same(pixelOf(undefined, [0, 0, 1]), [Number.NaN, Number.NaN], 'behind the camera');
  t.end();
});

test('a lens is the same at every size of the picture', (t) => {
  const distortion: LensDistortion = { model: 'opencv', k1: 0.1, p2: 0.01 };
  const packed = packCamera({ ...camera, distortion }, 320, 240);
  t.same([...packed.subarray(12, 18)], [400, 300, 160, 120, 320, 240]);
  t.same([...packed.subarray(18)], [1, Math.fround(0.1), 0, 0, 0, 0, 0, 0, Math.fround(0.01)]);
  t.end();
});

test('a camera stands where its rays start', (t) => {
  const [x, y, z] = cameraPosition(orbit(Math.PI / 2, 0, 60, 64));
  t.ok(Math.hypot(x - 60, y, z) < 1e-9, `${x} ${y} ${z}`);
  t.end();
});

test('impossible lenses are refused', (t) => {
  const refused = (distortion: unknown): void => {
    try {
      pixelOf(distortion as LensDistortion, [0, 0, -1]);
      t.fail('accepted');
    } catch (error) {
      t.equal((error as DafError).code, 'ERR_DAF_BAD_ARGUMENT');
      t.ok(DafError.is(error));
    }
  };
  refused({ model: 'mirror' });
  refused({ model: 'opencv', k1: Number.NaN });
  refused({ model: 'opencv_fisheye', k1: -1e9 });
  t.end();
});
