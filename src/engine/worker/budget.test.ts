import t from 'tap';
import { reservedBytes, taskPlan } from '../../core/contracts/step.js';
import { FETCH_BYTES, FETCHES, GROUP_BUFFER_BYTES, MERGE_FAN_IN, mergeBytes } from '../../core/memory-plan.js';
import { sampleSpec, sampleStep } from '../stores/state-conformance.js';

const MB = 2 ** 20;
const memory = { sortBuffer: 8 * MB, task: 50 * MB };

t.test('a task reserves its sort buffer, its merges, its fetches and what the job declares for its code', async (t) => {
  const spec = sampleSpec('job', {
    steps: [
      sampleStep({ name: 'first', splits: 100, reducers: 2, memory }),
      sampleStep({ name: 'second', from: [0], splits: 2, reducers: 0, memory: { sortBuffer: 0, task: 1 } }),
    ],
  });
  const map = { step: 0, stage: 'map' } as const;
  const reduce = { step: 0, stage: 'reduce' } as const;
  const second = { step: 1, stage: 'map' } as const;
  t.same(taskPlan(spec, map), { sort: 8 * MB, merge: mergeBytes(MERGE_FAN_IN), fetch: 0, scratch: 50 * MB });
  t.same(taskPlan(spec, reduce), { sort: 0, merge: mergeBytes(100), fetch: FETCHES * FETCH_BYTES, scratch: 50 * MB });
  t.same(taskPlan(spec, second), { sort: 0, merge: 0, fetch: FETCH_BYTES, scratch: 1 });
  t.same(taskPlan(spec, { step: 1, stage: 'finalize' }), { sort: 0, merge: 0, fetch: 0, scratch: 1 });
  t.equal(reservedBytes(spec, map), 58 * MB, 'the sort buffer is gone when runs are merged');
  t.equal(reservedBytes(spec, reduce), 50 * MB + MERGE_FAN_IN * 128 * 1024 + GROUP_BUFFER_BYTES);
  t.equal(reservedBytes(spec, second), FETCH_BYTES, 'what is fetched lies on the disk when the code begins');
});

t.test('what is merged and fetched at once is bounded, and less where there is less of it', async (t) => {
  const reserved = (splits: number, task: number, sortBuffer = 0): Record<'map' | 'reduce', number> => {
    const spec = sampleSpec('job', {}, { splits, reducers: 1, memory: { sortBuffer, task } });
    return { map: reservedBytes(spec, { step: 0, stage: 'map' }), reduce: reservedBytes(spec, { step: 0, stage: 'reduce' }) };
  };
  t.equal(reserved(1_000_000, MB).reduce, reserved(MERGE_FAN_IN, MB).reduce);
  t.ok(reserved(2, MB).reduce < reserved(3, MB).reduce);
  t.equal(reserved(FETCHES, 0).reduce, FETCHES * FETCH_BYTES, 'fetches that take more than all that follows');
  t.equal(reserved(1, MB, 1).map, MB + mergeBytes(MERGE_FAN_IN), 'a small sort buffer leaves many runs');
});
