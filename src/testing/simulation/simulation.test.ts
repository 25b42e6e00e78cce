import t from 'tap';
import type { TaskRange } from '../../core/contracts/step.js';
import type { StateStore, StoredTask } from '../../core/contracts/stores.js';
import type { Commit } from '../../core/contracts/task.js';
import { JobState } from '../../engine/coordinator/job-state.js';
import { MemoryStateStore } from '../../engine/stores/state-memory.js';
import { simulate } from './run.js';
import { runSeeds } from './seeds.js';

const SEEDS = 2000;
/** `DAF_SIM_SEED=n` replays one seed. */
const only = process.env['DAF_SIM_SEED'];

t.test('no seed loses, doubles or stops', { timeout: 240_000 }, async (t) => {
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(only)];
  const begun = performance.now();
  const { failures, ...totals } = await runSeeds(seeds, { compare: only !== undefined });
  for (const failure of failures) t.fail(`${failure}; replay with DAF_SIM_SEED=n`);
  t.comment(`${seeds.length} seeds in ${Math.round(performance.now() - begun)} ms: ${JSON.stringify(totals)}`);
  t.equal(totals.seeds, seeds.length, 'every invariant held');
  if (only === undefined) {
    t.ok(totals.done > seeds.length * 0.7, 'most jobs get done');
    t.ok(totals.crashes > seeds.length / 2 && totals.kills > seeds.length / 2, 'the faults did happen');
    const { hangs, skips, pieces } = totals;
    t.ok(Math.min(hangs, skips, pieces) > seeds.length / 10, `attempts hung ${hangs}, skipped ${skips}, left pieces ${pieces}`);
    t.ok(totals.near > 1.5 * totals.far, 'most tasks of later steps ran where their input lay');
  }
});

t.test('a seed replays exactly', async (t) => {
  for (const seed of [3, 17, 42]) t.same(await simulate(seed), await simulate(seed));
});

/** Seeds until a broken store is noticed. */
async function caughtBy(state: () => StateStore): Promise<string[]> {
  const caught: string[] = [];
  for (let seed = 1; seed <= 150 && caught.length < 1; seed++) {
    const { violation } = await simulate(seed, { state, patienceMs: 10_000 });
    if (violation !== null) caught.push(violation.invariant);
  }
  return caught;
}

t.test('the invariants can fail: a store that commits without comparing', async (t) => {
  class Careless extends MemoryStateStore {
    override async commitTasks(
      term: number,
      commits: readonly { readonly job: string; readonly commit: Commit }[],
    ): Promise<readonly ('committed' | 'discarded')[]> {
      await super.commitTasks(term, commits);
      return commits.map(() => 'committed');
    }
  }
  t.ok((await caughtBy(() => new Careless())).includes('one-commit-per-generation'));
});

t.test('the invariants can fail: a store that forgets what it acknowledged', async (t) => {
  class Forgetful extends MemoryStateStore {
    #calls = 0;
    override async commitTasks(
      term: number,
      commits: readonly { readonly job: string; readonly commit: Commit }[],
    ): Promise<readonly ('committed' | 'discarded')[]> {
      this.#calls += 1;
      if (this.#calls % 5 === 0) return commits.map(() => 'committed');
      return super.commitTasks(term, commits);
    }
  }
  const caught = await caughtBy(() => new Forgetful());
  t.ok(caught.length > 0, `caught as ${caught}`);
});

t.test('the invariants can fail: a store that loses a committed map', async (t) => {
  class Losing extends MemoryStateStore {
    override async loadTasks(job: string, range?: TaskRange): Promise<readonly StoredTask[]> {
      const tasks = await super.loadTasks(job, range);
      const lost = tasks.filter(({ commit }) => commit !== null).length > 2 ? tasks.find(({ commit }) => commit !== null) : null;
      return tasks.filter((each) => each !== lost);
    }
  }
  t.same(await caughtBy(() => new Losing()), ['acknowledged-is-durable']);
});

t.test('the invariants can fail: a coordinator that counts what a commit contributed twice', async (t) => {
  const { count } = JobState.prototype;
  t.teardown(() => {
    JobState.prototype.count = count;
  });
  let calls = 0;
  JobState.prototype.count = function (outcome, sign): void {
    count.call(this, outcome, sign);
    calls += 1;
    if (calls % 7 === 0) count.call(this, outcome, sign);
  };
  t.same(await caughtBy(() => new MemoryStateStore()), ['no-under-count'], 'whatever becomes of the job');
});
