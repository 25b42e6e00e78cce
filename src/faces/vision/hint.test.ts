import tap from 'tap';
import { hintFace, hintLandmarks, meantFace, scaledHint } from './hint.js';

const none = { size: null, points68: null, points5: null, box: null };
const face = (x: number, y: number) => ({ box: { x, y, width: 40, height: 40 }, confidence: 0.9, roll: 0 });

tap.test('a hint picks its face, and is one where nothing was found', async (t) => {
  const hinted = hintFace({ ...none, box: { x: 100, y: 100, width: 80, height: 80 } }, 400, 400)!;
  t.equal(hinted.roll, 0);
  const [left, meant, near] = [face(0, 100), face(118, 120), face(140, 140)];
  t.equal(meantFace([left, near, meant], hinted), meant, 'the nearest, not the first');
  t.equal(meantFace([left], hinted), hinted, 'one elsewhere is not meant');
  t.equal(hintFace(none, 400, 400), null);
  t.throws(() => hintFace({ ...none, box: { x: 500, y: 0, width: 80, height: 80 } }, 400, 400), {
    code: 'ERR_DAF_BAD_LANDMARKS',
  });
});

tap.test('five points give box and roll, at any size of the photo', async (t) => {
  // CelebA's first photo: eyes, nose, corners of the mouth.
  const points5 = [165, 184, 244, 176, 196, 249, 194, 271, 266, 260];
  const hinted = hintFace({ ...none, points5 }, 409, 687)!;
  t.ok(Math.abs(hinted.roll - Math.atan2(-8, 79)) < 1e-9);
  for (let i = 0; i < 10; i += 2) {
    const inside = points5[i]! > hinted.box.x && points5[i]! < hinted.box.x + hinted.box.width;
    t.ok(inside && points5[i + 1]! > hinted.box.y && points5[i + 1]! < hinted.box.y + hinted.box.height);
  }
  const half = hintFace({ ...none, size: [409, 687], points5 }, 204.5, 343.5)!;
  t.ok(Math.abs(half.box.width - hinted.box.width / 2) < 1e-9 && Math.abs(half.box.y - hinted.box.y / 2) < 1e-9);
  t.same(scaledHint({ ...none, size: [10, 10], box: { x: 1, y: 2, width: 3, height: 4 } }, 20, 30).box, {
    x: 2,
    y: 6,
    width: 6,
    height: 12,
  });
  t.equal(hintLandmarks({ ...none, points5 }, 409, 687), null);
});
