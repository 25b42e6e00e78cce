import t from 'tap';
import { runSeeds } from './seeds.js';

t.test('200,000 seeds lose, double or stop nothing', { timeout: 3_600_000 }, async (t) => {
  const { failures, ...totals } = await runSeeds(Array.from({ length: 200_000 }, (_, i) => i + 1));
  for (const failure of failures) t.fail(`${failure}; replay with DAF_SIM_SEED=n`);
  t.equal(totals.seeds, 200_000);
  t.comment(JSON.stringify(totals));
});
