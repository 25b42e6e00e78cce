import tap from 'tap';
import { Field } from '../field.js';
import { orbit } from '../testing-scene.js';
import { subjectOf } from './subject.js';

const room = { min: [-50, -50, -50], max: [50, 50, 50] } as const;

tap.test('the subject is what cameras look at, and a little more on their side', async (t) => {
  // From +z, within half a radian: they look at the origin from 60 away.
  const cameras = [-0.5, -0.25, 0, 0.25, 0.5].map((angle) => orbit(angle, angle / 2, 60, 64));
  const { min, max } = subjectOf(room, cameras);
  const half = -min[0]!;
  t.ok(half > 5 && half < 40, `${half}`);
  for (const a of [0, 1]) {
    t.ok(Math.abs(min[a]! + half) < 0.01 * half, 'as far to the one side');
    t.ok(Math.abs(max[a]! - half) < 0.01 * half, 'as to the other');
  }
  const ends = [min[2]!, max[2]!].map(Math.abs).sort((a, b) => a - b);
  t.ok(Math.abs(ends[0]! - half) < 0.01 * half);
  t.ok(Math.abs(ends[1]! - 1.5 * half) < 0.01 * half, 'towards the cameras');
});

tap.test('a field that its box bounds, or whose cameras are not known, is meshed whole', async (t) => {
  for (const unbounded of [false, true]) {
    const box = { ...room, unbounded };
    using field = Field.create({ kind: 'hashgrid', box, levels: 2, log2Entries: 8, finest: 16, occupancy: 8 });
    t.same(field.cameras(), []);
    t.same(subjectOf(field.box, unbounded ? field.cameras() : []), { min: room.min, max: room.max });
  }
});
