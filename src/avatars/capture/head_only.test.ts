import t from 'tap';
import { Field } from '../../fields/field.js';
import { orbitCamera } from '../camera.js';
import { headOnly } from './head_only.js';

/** A sphere of radius 8 around the middle, open below −6 as a neck is. */
function sphere(): Float32Array {
  const points: number[] = [];
  for (let i = 0; i < 4000; i++) {
    const y = 1 - (2 * (i + 0.5)) / 4000;
    const turn = i * 2.399963;
    const around = Math.sqrt(1 - y * y);
    if (8 * y > -6) points.push(8 * around * Math.cos(turn), 8 * y, 8 * around * Math.sin(turn));
  }
  return Float32Array.from(points);
}

for (const unbounded of [false, true]) {
  t.test(
    `what lies around the head is gone, ${unbounded ? 'and around the box' : 'in the box'}; the head is whole`,
    async (t) => {
      const box = { min: [-16, -16, -16], max: [16, 16, 16], unbounded } as const;
      // Nothing was learnt: some density everywhere.
      using whole = Field.create({ kind: 'hashgrid', box, levels: 4, log2Entries: 10, finest: 32, occupancy: 64, seed: 1 });
      using head = Field.load(headOnly(whole.save(), sphere(), 1.5));
      const camera = orbitCamera({ min: [-16, -16, -16], max: [16, 16, 16] }, 0.4, 0, 96);
      const before = whole.render(camera).rgba;
      const after = head.render(camera).rgba;
      const alpha = (rgba: Uint8Array, x: number, y: number): number => rgba[4 * (y * 96 + x) + 3]!;
      t.ok(alpha(before, 8, 48) > 0, 'there was something beside the head');
      for (const [x, y] of [
        [8, 48],
        [88, 48],
        [48, 6],
        [48, 88],
      ] as const)
        t.equal(alpha(after, x, y), 0, `${x}, ${y}`);
      t.ok(alpha(after, 48, 40) > 0, 'the middle');
      // Enclosed cells stay, though no vertex is near: the ray through the middle meets as much as if it were full.
      const full = (2 * (8 + 1.5)) / 32;
      const [here, there] = [alpha(after, 48, 48), alpha(before, 48, 48)].map((a) => -Math.log(1 - a / 255));
      if (!unbounded) t.ok(Math.abs(here! / there! / full - 1) < 0.35, `${here} of ${there}`);
    },
  );
}

t.test('what pictures show to be empty is gone too, down to the surface', async (t) => {
  const box = { min: [-16, -16, -16], max: [16, 16, 16] } as const;
  using whole = Field.create({ kind: 'hashgrid', box, levels: 4, log2Entries: 10, finest: 32, occupancy: 64, seed: 1 });
  const alphaRightOfHead = (isEmpty: (point: readonly number[]) => boolean): number => {
    using head = Field.load(headOnly(whole.save(), sphere(), 4, isEmpty));
    const { rgba } = head.render(orbitCamera({ min: [-16, -16, -16], max: [16, 16, 16] }, 0, 0, 96));
    // Some 10.5 cm to the right of the middle, level with it: off the surface and within the margin.
    return rgba[4 * (48 * 96 + 48 + 25) + 3]!;
  };
  t.ok(alphaRightOfHead(() => false) > 0);
  t.equal(
    alphaRightOfHead(([x]) => x! > 0),
    0,
  );
  t.ok(alphaRightOfHead(([x]) => x! < 0) > 0);
});

t.test('damage is said', async (t) => {
  t.throws(() => headOnly(new Uint8Array(64), sphere(), 1), { code: 'ERR_DAF_BAD_DATA' });
});
