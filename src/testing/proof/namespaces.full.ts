import t from 'tap';
import { cutFetch, cutLinks, passOn } from './namespaces.js';

t.test('workers in other network namespaces are cut off, again and again', { timeout: 600_000 }, (t) =>
  cutLinks(t, { seed: 21, lines: 20_000, everyMs: 1000, faults: 8, pauseMs: 40 }),
);

t.test('workers without a link to each other get what they need through one that has both', { timeout: 600_000 }, (t) =>
  passOn(t, { seed: 5, lines: 3000, everyMs: 0, faults: 0, pauseMs: 10 }),
);

for (const [cut, what] of [
  ['blink', 'for a moment: it goes on'],
  ['back', 'for longer than the reader waits, and comes back'],
  ['gone', 'for good'],
] as const) {
  t.test(`a link is cut in the middle of a fetch ${what}`, { timeout: 600_000 }, (t) =>
    cutFetch(t, { seed: 8, lines: 3000, everyMs: 0, faults: 1, pauseMs: 0 }, cut),
  );
}
