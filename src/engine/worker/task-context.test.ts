import t from 'tap';
import { sampleSpec } from '../stores/state-conformance.js';
import type { GivenRecords } from './input/given.js';
import { NO_FILES } from './output/nowhere.js';
import { AttemptContext } from './task-context.js';

function context(): AttemptContext {
  const task = { step: 0, stage: 'map', index: 0 } as const;
  const assignment = {
    job: 'j',
    task,
    generation: 0,
    attempt: 'map-0-g0-a1.1',
    epoch: { term: 1, counter: 1 },
    try: 1,
    backup: false,
  };
  const input = { spec: sampleSpec('j', {}), assignment, dataDir: '/nonexistent', control: new Int32Array(3) };
  return new AttemptContext(input as never, NO_FILES, {} as GivenRecords);
}

t.test('whatever they are called, counters count', async (t) => {
  const counted = context();
  for (const name of ['constructor', 'toString', 'hasOwnProperty', '', '7', 'größe\n']) {
    counted.counters.add(name);
    counted.counters.add(name, 1.5);
  }
  t.equal(Object.entries(counted.sums()).length, 6);
  for (const amount of Object.values(counted.sums())) t.equal(amount, 2.5);
});

t.test('what no report could tell is refused where it is counted', async (t) => {
  const { counters } = context();
  const refused = { code: 'ERR_DAF_BAD_ARGUMENT' };
  t.throws(() => counters.add('__proto__', 1), refused);
  t.throws(() => counters.add('n'.repeat(257), 1), refused);
  t.throws(() => counters.add(7 as never, 1), refused);
  for (const amount of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 54, '3' as never])
    t.throws(() => counters.add('n', amount), refused);
  counters.add('n', 2 ** 53 - 1);
  t.throws(() => counters.add('n'), refused, 'the next whole number could not be told from this one');
});
