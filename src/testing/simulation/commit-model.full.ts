import t from 'tap';
import { temporaryDirectory } from '../engine-fixture.js';
import { checkModel, lacking } from './commit-model.js';

t.test(
  'the commit protocol, with a fault of a worker, with a backup, and from a backup under way: every state',
  { skip: lacking(), timeout: 3_600_000 },
  async (t) => {
    for (const defines of [
      ['FAULTS=1', 'BACKUPS=0'],
      ['FAULTS=0', 'BACKUPS=1'],
      ['LATE', 'FAULTS=0', 'BACKUPS=0'],
    ]) {
      const { broken, complete, states, output } = checkModel(temporaryDirectory(t), defines);
      t.equal(broken, null, broken === null ? 'nothing is broken' : output);
      t.ok(complete, `${defines}: ${states} states`);
    }
  },
);

t.test('a protocol without one of its checks is found broken', { skip: lacking(), timeout: 3_600_000 }, async (t) => {
  for (const [mutation, expected, ...defines] of [
    ['NO_GENERATION_CHECK', 'one-commit-per-generation', 'FAULTS=1', 'BACKUPS=0'],
    ['NO_EPOCH_FENCE', 'no-under-count', 'LATE', 'FAULTS=1', 'BACKUPS=0'],
    ['ACK_BEFORE_FLUSH', 'acknowledged-is-durable', 'FAULTS=1', 'BACKUPS=0'],
    ['NO_SECOND_TRY', 'progress', 'FAULTS=1', 'BACKUPS=0'],
  ] as const) {
    const { broken } = checkModel(temporaryDirectory(t), [mutation, ...defines]);
    t.equal(broken, expected, mutation);
  }
});
