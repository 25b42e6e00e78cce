import t from 'tap';
import { Pace } from './pace.js';

const NONE: ReadonlySet<string> = new Set();
const HELD: ReadonlySet<string> = new Set(['a']);

function paceOf(milliseconds: number): Pace {
  const pace = new Pace(2);
  for (let i = 0; i < 100; i++) pace.note('a', milliseconds);
  return pace;
}

t.test('what takes long, or is not known, is not taken from others', async (t) => {
  for (const pace of [new Pace(2), paceOf(500)]) {
    t.equal(pace.ahead(NONE), 0);
    t.equal(pace.ahead(HELD), 0);
    t.equal(pace.crossing('a'), 1);
    t.equal(pace.crossingsAThread('a'), 1);
  }
});

t.test('the next one of each thread is there where tasks take a moment', async (t) => {
  const pace = paceOf(50);
  t.equal(pace.ahead(HELD), 2);
  t.equal(pace.crossing('a'), 1, 'a report does not wait for the next task');
  t.equal(pace.crossingsAThread('a'), 2);
});

t.test('short ones travel together, within bounds', async (t) => {
  t.equal(paceOf(1).crossing('a'), 10);
  t.equal(paceOf(1).ahead(HELD), 64);
  t.equal(paceOf(0.001).crossing('a'), 128);
  t.equal(paceOf(0.001).ahead(HELD), 480);
  t.equal(paceOf(0.9).ahead(HELD), paceOf(1.1).ahead(HELD), 'a little more or less changes nothing that others are told');
});

t.test('short tasks say nothing of those of another kind', async (t) => {
  const pace = paceOf(0.1);
  t.equal(pace.ahead(NONE), 480, 'more of the same will come');
  t.equal(pace.ahead(new Set(['a', 'b'])), 0);
  t.equal(pace.crossing('b'), 1);
  pace.note('b', 50);
  t.equal(pace.ahead(new Set(['a', 'b'])), 2);
  pace.forget((kind) => kind === 'b');
  t.equal(pace.ahead(NONE), 0, 'and nothing is known of what comes after them');
  t.equal(pace.crossing('a'), 100);
});
