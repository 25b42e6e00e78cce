import t from 'tap';
import { killClient, killCoordinator, killWorkers, stopWorkers } from './chaos.js';

const scale = { lines: 2000, everyMs: 300, pauseMs: 15 };

t.test('workers killed', (t) => killWorkers(t, { ...scale, seed: 1, faults: 3 }));

t.test('a worker stopped for longer than its lease', (t) => stopWorkers(t, { ...scale, seed: 2, faults: 1 }));

t.test('a coordinator killed', (t) => killCoordinator(t, { ...scale, seed: 3, faults: 2 }));

t.test('a client killed before and after its submission', (t) => killClient(t, { lines: 500, seed: 4 }));
