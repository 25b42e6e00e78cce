import tap from 'tap';
import { closedNeck } from './closed_neck.js';
import { cup, SECTORS } from './cup.test.fixture.js';
import type { Surface } from './surface.js';

/** How often each edge occurs, by its ends. */
function edges({ mesh }: Surface): Map<string, number> {
  const count = new Map<string, number>();
  for (let t = 0; t < mesh.triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b] = [k, (k + 1) % 3].map((corner) => mesh.source![mesh.triangles[t + corner]!]!) as [number, number];
      const key = `${Math.min(a, b)} ${Math.max(a, b)}`;
      count.set(key, (count.get(key) ?? 0) + 1);
    }
  }
  return count;
}

tap.test("an open neck gets a lid in the colours of its rim, facing as the head's outside does", async (t) => {
  const open = cup(8, true);
  const { mesh } = closedNeck(open);
  t.ok(
    [...edges({ ...open, mesh }).values()].every((count) => count === 2),
    'nothing is open any more',
  );
  t.same([...mesh.positions.slice(-3)].map(Math.round), [0, -10, 0], 'the middle of the rim');
  const added = mesh.triangles.subarray(open.mesh.triangles.length);
  t.equal(added.length, 3 * SECTORS);
  for (let i = 0; i < added.length; i += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => mesh.source![added[i + k]!]!) as [number, number, number];
    const at = (p: number, k: number): number => mesh.positions[3 * p + k]!;
    const up = (at(b, 2) - at(a, 2)) * (at(c, 0) - at(a, 0)) - (at(b, 0) - at(a, 0)) * (at(c, 2) - at(a, 2));
    t.ok(up < 0, 'the lid looks down');
    t.equal(mesh.uv![2 * added[i + 2]! + 1], 0, 'in the colour of the rim');
  }
});

tap.test('of two openings the lower one is closed, and a whole surface stays as it is', async (t) => {
  const tube = cup(8, false);
  const lidded = closedNeck(tube);
  t.equal([...edges(lidded).values()].filter((count) => count === 1).length, SECTORS, 'the upper opening stays');
  t.equal(closedNeck(lidded), lidded);
});
