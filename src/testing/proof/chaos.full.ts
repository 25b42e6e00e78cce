import t from 'tap';
import { killCoordinator, killWorkers, stopWorkers } from './chaos.js';

/** `DAF_CHAOS_SEED=n` runs one seed. */
const only = process.env['DAF_CHAOS_SEED'];
const seeds = only === undefined ? [11, 12, 13, 14, 15] : [Number(only)];

for (const seed of seeds) {
  const scale = { seed, lines: 20_000, everyMs: 1000, faults: 20, pauseMs: 40 };
  t.test(`seed ${seed}: workers killed every second`, { timeout: 600_000 }, (t) => killWorkers(t, scale));
  t.test(`seed ${seed}: workers stopped for longer than their lease`, { timeout: 600_000 }, (t) =>
    stopWorkers(t, { ...scale, faults: 6 }),
  );
  t.test(`seed ${seed}: the coordinator killed every second`, { timeout: 600_000 }, (t) =>
    killCoordinator(t, { ...scale, faults: 10 }),
  );
}
