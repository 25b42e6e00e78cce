import t from 'tap';
import { cutLinks } from './namespaces.js';

t.test('workers in other network namespaces are cut off, again and again', { timeout: 600_000 }, (t) =>
  cutLinks(t, { seed: 21, lines: 20_000, everyMs: 1000, faults: 8, pauseMs: 40 }),
);
