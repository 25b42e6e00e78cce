import t from 'tap';
import type { Assignment, HeldCopy, Outcome } from '../../core/contracts/task.js';
import { sampleStep } from '../stores/state-conformance.js';
import { Bench, boom, done } from './core.test.fixture.js';

const TASKS = 8;
/** Maps that keep what they made, and as many that read it, one each. */
const STEPS = [
  sampleStep({ name: 'make', splits: TASKS, reducers: 0 }),
  sampleStep({ name: 'read', from: [0], splits: TASKS, reducers: 0 }),
];

const copyAt = (host: string): HeldCopy => ({ worker: host, host, path: `/${host}`, endpoint: `tcp://${host}:1` });

/** What an attempt of the first step left, on these hosts. */
function left({ task: { index }, generation, attempt }: Assignment, hosts: readonly string[]): Outcome {
  return done({
    held: { index, generation, attempt, copies: hosts.map(copyAt), key: null, bytes: 1, crc32c: 1, digest: 1 },
  });
}

/** Has a worker, which bears the name of its host, make the next `count` outputs. */
async function make(bench: Bench, worker: string, count: number, hosts: readonly string[] = [worker]): Promise<void> {
  await bench.worker(worker, count, [], worker);
  const given = bench.held(worker);
  bench.core.credit(worker, 1, 0, bench.now);
  for (const assignment of given) await bench.report(worker, assignment, left(assignment, hosts));
}

/** Lets workers with these hosts take turns, one task each, until all of the second step are given out; which each of them got. */
async function readers(bench: Bench, hosts: readonly string[]): Promise<Record<string, number[]>> {
  for (let turn = 1; turn <= TASKS / hosts.length; turn++) {
    for (const host of hosts) {
      bench.core.credit(host, 1 + turn, turn, bench.now);
      await bench.settle();
    }
  }
  const ofReaders = (host: string): number[] => bench.held(host).flatMap(({ task }) => (task.step === 1 ? [task.index] : []));
  return Object.fromEntries(hosts.map((host) => [host, ofReaders(host).sort()]));
}

const HALVES = { north: [0, 1, 2, 3], south: [4, 5, 6, 7] };

t.test('tasks of later steps are run where their input lies', async (t) => {
  const bench = await Bench.start();
  await bench.submit('j', {}, { steps: STEPS });
  await make(bench, 'north', 4);
  await make(bench, 'south', 4);
  // In this order turns alone would give the first half to nobody in particular.
  t.same(await readers(bench, ['south', 'north']), HALVES);
});

t.test('also after the coordinator was started again, from what its state says', async (t) => {
  const bench = await Bench.start();
  await bench.submit('j', {}, { steps: STEPS });
  await make(bench, 'north', 4);
  await make(bench, 'south', 3);
  await bench.restart(0);
  bench.sent.length = 0;
  await bench.worker('north', 0, [], 'north');
  await make(bench, 'south', 1);
  t.same(await readers(bench, ['south', 'north']), HALVES);
});

t.test('a copy is as near as what it was made of', async (t) => {
  const bench = await Bench.start();
  await bench.submit('j', {}, { steps: STEPS, replicas: 2 });
  await make(bench, 'north', 4);
  await make(bench, 'gone', 4, ['gone', 'south']);
  bench.core.workerBye('gone', bench.now);
  await bench.worker('south', 0, [], 'south');
  t.same(await readers(bench, ['south', 'north']), HALVES, 'the maker of these is gone, their copies are in the south');
});

t.test('copies that were made later count too', async (t) => {
  const bench = await Bench.start();
  await bench.submit('j', {}, { steps: STEPS, replicas: 2 });
  await make(bench, 'north', 4);
  await make(bench, 'gone', 4);
  bench.core.workerBye('gone', bench.now);
  await bench.worker('south', 0, [], 'south');
  for (const index of HALVES.south) bench.core.copiesMade('j', { step: 0, stage: 'map', index }, [copyAt('south')]);
  t.same(await readers(bench, ['south', 'north']), HALVES);
});

t.test('of several that have room the one with the input comes first', async (t) => {
  const bench = await Bench.start();
  await bench.submit('j', {}, { steps: STEPS });
  await make(bench, 'north', 6);
  await make(bench, 'south', 2);
  for (const host of ['south', 'north']) bench.core.credit(host, 2, 8, bench.now);
  await bench.settle();
  const found = bench.held('south').map(({ task }) => task.index);
  t.same(found.sort(), [6, 7], 'although it was free for all of them');
  t.equal(bench.held('north').length, 6);
});

t.test('a job of higher priority does not wait for one with its input at hand', async (t) => {
  const bench = await Bench.start();
  await bench.submit('j', {}, { steps: STEPS });
  await make(bench, 'north', TASKS);
  await bench.submit('urgent', { splits: 1, reducers: 0 }, { priority: 1 });
  bench.core.credit('north', 2, 1, bench.now);
  await bench.settle();
  t.match(bench.held('north'), [{ job: 'urgent' }]);
});

t.test('nobody waits for a host: what is left is read from elsewhere', async (t) => {
  const bench = await Bench.start();
  await bench.submit('j', {}, { steps: STEPS });
  await make(bench, 'north', 8);
  await bench.worker('south', 0, [], 'south');
  const { north, south } = await readers(bench, ['south', 'north']);
  t.equal(north!.length, 4);
  t.same([...north!, ...south!].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
});

t.test('a task whose input was lost runs where that was made anew', async (t) => {
  const bench = await Bench.start();
  await bench.submit('j', {}, { steps: STEPS });
  await make(bench, 'north', TASKS);
  bench.core.credit('north', 2, 1, bench.now);
  await bench.settle();
  const reader = bench.held('north')[0]!;
  bench.core.credit('north', 3, 0, bench.now);
  const lost = [{ task: { ...reader.task, step: 0 }, generation: 0 }];
  await bench.report('north', reader, { ...boom, lost } as Outcome);
  await make(bench, 'south', 1);
  for (const host of ['north', 'south']) bench.core.credit(host, 9, 1, bench.now);
  await bench.settle();
  t.match(bench.held('south'), [{ task: reader.task, try: 2 }], 'although the north had asked first');
  t.equal(bench.held('north').length, 1);
});
