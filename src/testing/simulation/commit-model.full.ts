import t from 'tap';
import { temporaryDirectory } from '../engine-fixture.js';
import { checkModel, lacking } from './commit-model.js';

t.test(
  'the commit protocol: every state of two workers, two tasks, a coordinator crash and a fault or a backup',
  {
    skip: lacking(),
    timeout: 3_600_000,
  },
  async (t) => {
    for (const defines of [
      ['FAULTS=1', 'BACKUPS=0'],
      ['FAULTS=0', 'BACKUPS=1'],
    ]) {
      const { broken, complete, states, output } = checkModel(temporaryDirectory(t), defines);
      t.equal(broken, null, output);
      t.ok(complete, `${defines}: ${states} states`);
    }
  },
);

t.test('a protocol without one of its checks is found broken', { skip: lacking(), timeout: 3_600_000 }, async (t) => {
  for (const [mutation, expected] of [
    ['NO_GENERATION_CHECK', 'one-commit-per-generation'],
    ['NO_EPOCH_FENCE', 'no-under-count'],
    ['ACK_BEFORE_FLUSH', 'acknowledged-is-durable'],
  ] as const) {
    const { broken } = checkModel(temporaryDirectory(t), ['FAULTS=1', 'BACKUPS=0', mutation]);
    t.equal(broken, expected, mutation);
  }
});
