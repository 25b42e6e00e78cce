import t from 'tap';
import type { Member } from '../../core/contracts/messages.js';
import type { HeldCopy } from '../../core/contracts/task.js';
import { Ring } from '../wire/index.js';
import { planCopies } from './copy-plan.js';

const member = (worker: string, host = worker): Member => ({ worker, host, endpoint: `tcp://${worker}:1` });
const cluster = (names: readonly string[]): Map<string, Member> => new Map(names.map((name) => [name, member(name)]));
const copy = ({ worker, host, endpoint }: Member): HeldCopy => ({ worker, host, path: '/x', endpoint });
const ringOf = (members: ReadonlyMap<string, Member>): Ring => new Ring([...members.keys()]);

const everybody = ['north', 'south', 'east', 'west', 'centre', 'moon'];
const keys = Array.from({ length: 600 }, (_, i) => `job/map-${i}`);

/** The copies of each key as a fresh cluster places them. */
function placed(members: ReadonlyMap<string, Member>, replicas: number): Map<string, HeldCopy[]> {
  const ring = ringOf(members);
  return new Map(keys.map((key) => [key, ring.successors(key, replicas).map((name) => copy(members.get(name)!))]));
}

t.test('who leaves moves its own share, to the next successors; the others stay where they are', async (t) => {
  const copies = placed(cluster(everybody), 2);
  const left = cluster(everybody.filter((name) => name !== 'south'));
  const ring = ringOf(left);
  let moved = 0;
  for (const [key, held] of copies) {
    const { from, to } = planCopies(held, key, ring, left, 2);
    const had = held.some(({ worker }) => worker === 'south');
    if (had !== (to.length === 1)) t.fail(`${key}: ${to.join()}`);
    if (had) moved += 1;
    const there = held.filter(({ worker }) => worker !== 'south').map(({ worker }) => worker);
    if (from.length !== there.length) t.fail(`${key} can be had from ${from.join()}`);
    if (had) t.strictSame(new Set([...there, ...to]), new Set(ring.successors(key, 2)), key);
  }
  t.ok(moved > keys.length / 5 && moved < keys.length / 2, `a third was held there: ${moved}`);
});

t.test('who joins gets only what had too few copies', async (t) => {
  const two = cluster(['north', 'south']);
  const enough = placed(two, 2);
  const joined = cluster(['north', 'south', 'east']);
  for (const [key, held] of enough) t.same(planCopies(held, key, ringOf(joined), joined, 2).to, [], key);
  const short = placed(two, 1);
  for (const [key, held] of short) {
    const { to } = planCopies(held, key, ringOf(joined), joined, 3);
    t.same([...to, held[0]!.worker].sort(), ['east', 'north', 'south'], key);
  }
});

t.test('one left after the other, R copies of everything hold while R members are left', async (t) => {
  let members = cluster(everybody);
  const copies = placed(members, 3);
  for (const gone of ['centre', 'north', 'moon']) {
    members = cluster([...members.keys()].filter((name) => name !== gone));
    const ring = ringOf(members);
    for (const [key, held] of copies) {
      const { to } = planCopies(held, key, ring, members, 3);
      const now = [...held.filter(({ worker }) => members.has(worker)), ...to.map((name) => copy(members.get(name)!))];
      if (new Set(now.map(({ worker }) => worker)).size !== 3) t.fail(`${key} after ${gone}`);
      copies.set(key, now);
    }
  }
});

t.test('who is asked already counts, who cannot is passed over, what nobody has is not asked for', async (t) => {
  const members = cluster(everybody);
  const ring = ringOf(members);
  const held = [copy(members.get('north')!), copy(member('gone'))];
  const [first = ''] = planCopies(held, 'k', ring, members, 2).to;
  t.same(planCopies(held, 'k', ring, members, 2, [first]).to, []);
  const [second] = planCopies(held, 'k', ring, members, 2, [], (worker) => worker === first).to;
  t.not(second, first);
  t.same(planCopies([copy(member('gone'))], 'k', ring, members, 2), { from: [], to: [] });
  const one = new Map([...members, ['north', member('north', 'box')], ['south', member('south', 'box')]]);
  t.equal(
    planCopies([copy(one.get('north')!)], 'k', ring, one, 6).to.at(-1),
    'south',
    'another worker of the same host comes last',
  );
});
