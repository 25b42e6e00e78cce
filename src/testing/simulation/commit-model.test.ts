import t from 'tap';
import { temporaryDirectory } from '../engine-fixture.js';
import { assertedInvariants, checkModel, lacking } from './commit-model.js';
import { INVARIANTS } from './invariants.js';

t.test('the model and the simulation mean the same by the same names', async (t) => {
  const asserted = assertedInvariants();
  for (const name of asserted) t.ok((INVARIANTS as readonly string[]).includes(name), name);
  for (const name of ['one-commit-per-generation', 'acknowledged-is-durable', 'no-under-count'])
    t.ok(asserted.includes(name), name);
});

t.test('a coordinator that crashes or is taken for dead: every state', { skip: lacking(), timeout: 120_000 }, async (t) => {
  const { broken, complete, states, output } = checkModel(temporaryDirectory(t), ['FAULTS=0', 'BACKUPS=0']);
  t.equal(broken, null, output);
  t.ok(complete && states > 20_000, `${states} states`);
});
