import t from 'tap';
import { Ring } from './ring.js';

const members = Array.from({ length: 10 }, (_, i) => `worker-${i}`);
const keys = Array.from({ length: 5000 }, (_, i) => `job/map-${i}`);
const owners = (ring: Ring): string[] => keys.map((key) => ring.successors(key, 1)[0]!);

t.test('a member that joins or leaves moves its own share only', async (t) => {
  const before = owners(new Ring(members));
  const after = owners(new Ring([...members, 'newcomer']));
  for (const [i, owner] of after.entries())
    if (owner !== before[i] && owner !== 'newcomer') t.fail(`${keys[i]} moved to ${owner}`);
  const moved = after.filter((owner) => owner === 'newcomer').length / keys.length;
  t.ok(moved > 0.04 && moved < 0.16, `about one in eleven moved: ${moved}`);
  const without = owners(new Ring(members.slice(1)));
  t.ok(without.every((owner, i) => owner === before[i] || before[i] === 'worker-0'));
});

t.test('shares are about even', async (t) => {
  const counts = new Map<string, number>();
  for (const owner of owners(new Ring(members))) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  for (const [member, count] of counts) t.ok(count > 250 && count < 850, `${member}: ${count} of 5000`);
});

t.test('successors differ and end when there are no more', async (t) => {
  const ring = new Ring(members);
  t.equal(new Set(ring.successors('key', 4)).size, 4);
  t.same(ring.successors('key', 4).slice(0, 2), ring.successors('key', 2));
  t.equal(ring.successors('key', 99).length, 10);
  t.same(new Ring([]).successors('key', 2), []);
  t.same(new Ring([...members].reverse()).successors('key', 3), ring.successors('key', 3), 'whatever the order of members');
});
