import tap from 'tap';
import type { CanvasFace, Detector } from '../models/detector.js';
import type { Landmarker } from '../models/landmarker.js';
import { facePoints } from '../models/onnx.test.fixture.js';
import type { Box, Pixels } from '../types.js';
import { findFaces, largestFace, mergeFaces } from './find-faces.js';
import { findLandmarks } from './find-landmarks.js';
import { unmirrored } from './look.js';
import { fromTurnedBox, type TurnedBox } from './warp.js';

/** A dark picture with red squares; each has a blue bar at the end that is its top. */
function picture(width: number, height: number, squares: readonly (Box & { readonly top?: 'n' | 'e' | 's' | 'w' })[]): Pixels {
  const data = new Uint8Array(3 * width * height).fill(20);
  for (const { x, y, width: w, height: h, top = 'n' } of squares) {
    for (let j = 0; j < h; ++j) {
      for (let i = 0; i < w; ++i) {
        const depth = { n: j / h, s: 1 - (j + 1) / h, w: i / w, e: 1 - (i + 1) / w }[top];
        data.set(depth < 0.3 ? [20, 20, 230] : [230, 20, 20], 3 * ((y + j) * width + x + i));
      }
    }
  }
  return { width, height, channels: 3, data };
}

/** Stands in for a detector: sees squares of 24…160 pixels with their bar at the top, on a canvas of 320 × 320. */
function squareDetector(step: number | null = null): Detector & { looks: number } {
  return {
    canvasWidth: 320,
    canvasHeight: 320,
    step,
    threshold: 0.5,
    looks: 0,
    async detect(canvas) {
      this.looks += 1;
      if (step === null && (canvas.width !== 320 || canvas.height !== 320)) throw new Error('not its canvas');
      if (canvas.width > 320 || canvas.height > 320 || canvas.width % (step ?? 1) !== 0) throw new Error('not its canvas');
      return islands(canvas).flatMap(({ x, y, width, height, barX, barY }) => {
        const above = barY < y + 0.3 * height && Math.abs(barX - x - width / 2) < 0.1 * width;
        const whole = x > 0 && y > 0 && x + width < canvas.width && y + height < canvas.height && Math.abs(width - height) < 4;
        return above && whole && width >= 24 && width <= 160 ? [{ x, y, width, height, score: 0.9, roll: null }] : [];
      });
    },
    dispose: async () => {},
  };
}

/** Connected bright areas: their boxes and the centre of what is blue in them. */
function islands({ width, height, data }: Pixels): (Omit<CanvasFace, 'score' | 'roll'> & { barX: number; barY: number })[] {
  const seen = new Uint8Array(width * height);
  const bright = (i: number): boolean => Math.max(data[3 * i]!, data[3 * i + 2]!) > 125;
  const found = [];
  for (let start = 0; start < seen.length; ++start) {
    if (seen[start] === 1 || !bright(start)) continue;
    const stack = [start];
    seen[start] = 1;
    let [left, right, top, bottom, blue, blueX, blueY] = [width, 0, height, 0, 0, 0, 0];
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      const [x, y] = [i % width, Math.floor(i / width)];
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x + 1), Math.min(top, y), Math.max(bottom, y + 1)];
      if (data[3 * i + 2]! > data[3 * i]!) [blue, blueX, blueY] = [blue + 1, blueX + x + 0.5, blueY + y + 0.5];
      for (const next of [x > 0 ? i - 1 : i, x < width - 1 ? i + 1 : i, i - width, i + width]) {
        if (next < 0 || next >= seen.length || seen[next] === 1 || !bright(next)) continue;
        seen[next] = 1;
        stack.push(next);
      }
    }
    found.push({ x: left, y: top, width: right - left, height: bottom - top, barX: blueX / blue, barY: blueY / blue });
  }
  return found;
}

function same(a: Box, b: Box, tolerance: number): boolean {
  return (['x', 'y', 'width', 'height'] as const).every((side) => Math.abs(a[side] - b[side]) <= tolerance);
}

tap.test('faces are found large, small, tiny and lying', async (t) => {
  const cases: Record<string, [number, number, Parameters<typeof picture>[2][number], number]> = {
    usual: [320, 240, { x: 100, y: 60, width: 80, height: 80 }, 0],
    'filling the picture': [400, 400, { x: 60, y: 40, width: 310, height: 310 }, 0],
    'small picture': [60, 60, { x: 20, y: 16, width: 24, height: 24 }, 0],
    tiny: [1000, 700, { x: 812, y: 560, width: 50, height: 50 }, 0],
    'up is right': [500, 300, { x: 100, y: 60, width: 100, height: 100, top: 'e' }, Math.PI / 2],
    'up is left': [500, 300, { x: 300, y: 90, width: 100, height: 100, top: 'w' }, -Math.PI / 2],
    'on its head': [500, 300, { x: 100, y: 160, width: 100, height: 100, top: 's' }, Math.PI],
  };
  for (const [name, [width, height, square, roll]] of Object.entries(cases)) {
    const faces = await findFaces(picture(width, height, [square]), squareDetector());
    const free = await findFaces(picture(width, height, [square]), squareDetector(32));
    t.same(free, faces, `${name}: a free canvas sees the same`);
    t.equal(faces.length, 1, name);
    t.ok(same(faces[0]!.box, square, Math.max(4, width / 120)), `${name}: ${JSON.stringify(faces[0]?.box)}`);
    t.ok(Math.cos(faces[0]!.roll - roll) > 0.999999);
  }
  t.same(await findFaces(picture(300, 300, []), squareDetector()), []);
  t.same(await findFaces(picture(1, 1, []), squareDetector()), []);
  const detector = squareDetector();
  await findFaces(picture(30_000, 20, []), detector);
  t.ok(detector.looks <= 17, 'a strip is not cut into hundreds of tiles');
});

tap.test('several faces, each once', async (t) => {
  const squares = [
    { x: 10, y: 20, width: 60, height: 60 },
    { x: 200, y: 30, width: 90, height: 90 },
    { x: 100, y: 150, width: 50, height: 50 },
  ];
  const faces = await findFaces(picture(320, 240, squares), squareDetector());
  t.equal(faces.length, 3);
  t.ok(same(largestFace(faces)!.box, squares[1]!, 4));
});

tap.test('merging and choosing', async (t) => {
  const face = (x: number, size: number, confidence: number) => ({
    box: { x, y: 0, width: size, height: size },
    confidence,
    roll: 0,
  });
  t.same(mergeFaces([face(0, 100, 0.7), face(10, 100, 0.9)]), [face(10, 100, 0.9)]);
  t.equal(mergeFaces([face(0, 100, 0.7), face(90, 100, 0.9)]).length, 2);
  t.same(mergeFaces([face(40, 20, 0.8), face(0, 100, 0.9)]), [face(0, 100, 0.9)], 'a nose in a face');
  t.same(mergeFaces([face(5, 9, 0.5), face(200, 9, 0.5)]), mergeFaces([face(200, 9, 0.5), face(5, 9, 0.5)]), 'in any order');
  t.same(largestFace([face(0, 50, 0.95), face(100, 80, 0.9), face(300, 400, 0.6)]), face(100, 80, 0.9), 'not the doubtful one');
  t.equal(largestFace([]), null);
});

/** For each point of the symmetric test face the one whose place it takes in a mirror. */
const OTHER_SIDE = ((): number[] => {
  const face = facePoints();
  return Array.from({ length: 68 }, (_, i) => {
    const away = (j: number): number => Math.hypot(face[2 * j]! + face[2 * i]! - 1, face[2 * j + 1]! - face[2 * i + 1]!);
    return [...Array(68).keys()].reduce((best, j) => (away(j) < away(best) ? j : best), 0);
  });
})();

/** Stands in for a landmarker: knows the points, and drifts with the distance between its box and theirs. */
function knowing(truth: TurnedBox, drift: number): Landmarker & { boxes: TurnedBox[] } {
  const points = new Float32Array(136);
  fromTurnedBox(truth, facePoints(), points);
  return {
    margin: 1.4,
    side: 64,
    judges: false,
    boxes: [],
    async locate(_pixels, box) {
      this.boxes.push(box);
      const [dx, dy] = [drift * (box.centerX - truth.centerX), drift * (box.centerY - truth.centerY)];
      const seen = points.map((value, i) => value + (i % 2 === 0 ? dx : dy));
      return { points: box.width > 0 ? seen : seen.map((_, i) => seen[2 * OTHER_SIDE[i >> 1]! + (i & 1)]!), face: null };
    },
    dispose: async () => {},
  };
}

tap.test('looks centre on the face, turn with it, and end in a mirror', async (t) => {
  t.equal(new Set(OTHER_SIDE).size, 68);
  const truth = { centerX: 120, centerY: 90, width: 60, height: 60, angle: 0.6 };
  const landmarker = knowing(truth, 0.3);
  const face = { box: { x: 100, y: 70, width: 66, height: 66 }, confidence: 0.9, roll: 0.2 };
  const found = await findLandmarks(picture(10, 10, []), face, landmarker);
  const last = landmarker.boxes.at(-1)!;
  t.ok(last.width < 0, 'the last look is in a mirror');
  t.ok(Math.abs(last.angle - 0.6) < 0.02, 'upright');
  t.ok(Math.hypot(last.centerX - 120, last.centerY - 90) < 3, 'centred');
  t.ok(Math.abs(-last.width - 1.4 * 60) < 2, 'of the right size');
  const expected = new Float32Array(136);
  fromTurnedBox(truth, facePoints(), expected);
  const worst = Math.max(...found.points.map((value, i) => Math.abs(value - expected[i]!)));
  t.ok(worst < 1, `each point keeps its name in the mirror (off by ${worst.toFixed(2)})`);
  t.ok(found.confidence > 0.89 && found.confidence <= 0.9, 'both looks agree');
});

tap.test('points that collapse are no face', async (t) => {
  const nothing: Landmarker = {
    margin: 1.4,
    side: 64,
    judges: false,
    locate: async () => ({ points: new Float32Array(136), face: null }),
    dispose: async () => {},
  };
  const found = await findLandmarks(
    picture(9, 9, []),
    { box: { x: 0, y: 0, width: 9, height: 9 }, confidence: 1, roll: 0 },
    nothing,
  );
  t.equal(found.confidence, 0);
});

tap.test('a landmarker that judges begins from several boxes, and its surest points are taken', async (t) => {
  const truth: TurnedBox = { centerX: 150, centerY: 150, width: 80, height: 80, angle: 0 };
  const points = new Float32Array(136);
  fromTurnedBox(truth, facePoints(), points);
  const sizes = new Set<number>();
  const judging: Landmarker = {
    margin: 1.4,
    side: 64,
    judges: true,
    // Sees the face in squares of up to 130 pixels, and what it takes for a larger one in those around it.
    async locate(_pixels, box) {
      sizes.add(Math.round(Math.abs(box.width)));
      const astray = box.height > 130;
      const seen = astray ? points.map((value) => 150 + 2 * (value - 150)) : points;
      return { points: box.width > 0 ? seen : unmirrored(seen), face: astray ? 0.3 : 0.9 };
    },
    dispose: async () => {},
  };
  const side = 140 / 1.4 / 0.9;
  const face = { box: { x: 150 - side / 2, y: 150 - side / 2 - 14, width: side, height: side }, confidence: 1, roll: 0 };
  const found = await findLandmarks(picture(300, 300, []), face, judging);
  t.ok(found.points.every((value, i) => Math.abs(value - points[i]!) < 0.01));
  t.ok(found.confidence > 0.99, 'whoever judged the face has asked for its chance already');
  t.ok(sizes.size > 5);
  judging.locate = async () => ({ points: new Float32Array(136), face: 0.2 });
  t.equal((await findLandmarks(picture(9, 9, []), { ...face, roll: 1 }, judging)).confidence, 0);
});
