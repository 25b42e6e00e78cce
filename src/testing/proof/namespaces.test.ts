import t from 'tap';
import { cutLinks } from './namespaces.js';

t.test('a worker in another network namespace is cut off', (t) =>
  cutLinks(t, { seed: 4, lines: 3000, everyMs: 100, faults: 1, pauseMs: 15 }),
);
