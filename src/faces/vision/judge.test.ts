import tap from 'tap';
import type { Landmarker } from '../models/landmarker.js';
import { facePoints } from '../models/onnx.test.fixture.js';
import type { DetectedFace, Pixels } from '../types.js';
import { judged } from './judge.js';
import { firstBox, frameOf, nextBox, unmirrored } from './look.js';
import { fromTurnedBox, type TurnedBox } from './warp.js';

const picture: Pixels = { width: 300, height: 300, channels: 3, data: new Uint8Array(3 * 300 * 300) };
const truth: TurnedBox = { centerX: 150, centerY: 140, width: 90, height: 90, angle: 0.3 };

/** Stands in for a landmarker: sees the one face wherever it is in view, and says so where it is framed. */
function judging(): Landmarker & { looks: number } {
  const points = new Float32Array(136);
  fromTurnedBox(truth, facePoints(), points);
  return {
    margin: 1.4,
    side: 64,
    judges: true,
    looks: 0,
    async locate(_pixels, box) {
      this.looks += 1;
      const away = Math.hypot(box.centerX - truth.centerX, box.centerY - truth.centerY);
      if (away > 90) return { points: facePoints().map((value) => 20 + 30 * value), face: 0.01 };
      return { points: box.width > 0 ? points : unmirrored(points), face: away < 20 ? 0.9 : 0.3 };
    },
    dispose: async () => {},
  };
}

const candidate = (x: number, y: number, size: number, confidence: number): DetectedFace => ({
  box: { x, y, width: size, height: size },
  confidence,
  roll: 0,
});

tap.test('a part of a face becomes the whole of it, and what is none is left out', async (t) => {
  const landmarker = judging();
  const faces = await judged(picture, [candidate(120, 150, 50, 0.9), candidate(10, 10, 60, 0.9)], landmarker);
  t.equal(faces.length, 1);
  const [face] = faces;
  const points = (await landmarker.locate(picture, truth)).points;
  t.same(face!.box, frameOf(points));
  t.ok(Math.abs(face!.roll - 0.3) < 0.02, 'it stands as its points do');
  t.ok(Math.abs(face!.confidence - 0.9) < 1e-6, 'as sure as all that looked');
  t.same(await judged(picture, [candidate(120, 150, 50, 0.6)], landmarker), [], 'not what is doubtful');
});

tap.test('what is another thing in a mirror is no face', async (t) => {
  const landmarker = judging();
  const { locate } = landmarker;
  // Names the same point on both sides, whichever way it looks.
  landmarker.locate = (pixels, box) => locate.call(landmarker, pixels, { ...box, width: Math.abs(box.width) });
  t.same(await judged(picture, [candidate(105, 95, 90, 1)], landmarker), []);
});

tap.test('not everything is judged', async (t) => {
  const landmarker = judging();
  const many = Array.from({ length: 500 }, (_, i) => candidate(5 * (i % 50), 20 * Math.floor(i / 50), 20, i / 500));
  await judged(picture, many, landmarker);
  t.ok(landmarker.looks <= 3 * 48);
});

tap.test('a box from points leads back to them', (t) => {
  const points = new Float32Array(136);
  fromTurnedBox({ ...truth, angle: 0 }, facePoints(), points);
  const box = frameOf(points);
  t.ok(box.y < truth.centerY - 45 && box.y + box.height < truth.centerY + 46, 'the forehead belongs to it');
  const [first, next] = [firstBox({ box, confidence: 1, roll: 0 }, 1.4), nextBox(points, 1.4)!];
  t.ok(Math.hypot(first.centerX - next.centerX, first.centerY - next.centerY) < 0.1 * next.width);
  t.ok(Math.abs(first.width / next.width - 1) < 0.15);
  t.equal(nextBox(new Float32Array(136), 1.4), null, 'collapsed points lead nowhere');
  t.end();
});
