import tap from 'tap';
import { countsOf, peopleOf, planPerson, type SetOptions } from './mix.js';
import { setOptions } from './options.js';

const set = (count: number): SetOptions => ({ mix: 'private-synthetic', seed: 4, count, scale: 1 });

tap.test('60,000 photos are 6,000 people and the documented shares', (t) => {
  t.equal(peopleOf(set(60_000)), 6000);
  t.same(countsOf(set(60_000)), { '2048': 6000, '1024': 18_000, '512': 24_000, variant: 12_000 });
  t.end();
});

tap.test('plans add up to the counts; variants are made of photos before them', (t) => {
  const tally = { '2048': 0, '1024': 0, '512': 0, variant: 0 };
  const sources = new Set<number>();
  for (let person = 0; person < peopleOf(set(1234)); person++) {
    const plan = planPerson(set(1234), person);
    for (const [i, { index, category, side, source }] of plan.entries()) {
      tally[category] += 1;
      if (index !== i) t.fail('in order');
      if ((source === null) === (category === 'variant')) t.fail('variants alone have a source');
      if (source === null) continue;
      sources.add(source);
      if (source >= index || plan[source]!.source !== null || plan[source]!.side !== side)
        t.fail('of a rendered photo before it');
    }
  }
  t.same(tally, countsOf(set(1234)));
  t.same([...sources].sort(), [0, 1, 2, 4, 5, 6, 7, 8]);
  t.equal(planPerson(set(4), 0).length, 4);
  t.end();
});

tap.test('a person is planned alike in a longer set', (t) => {
  t.same(planPerson(set(100), 7), planPerson(set(5000), 7));
  t.end();
});

tap.test('parameters that make no set are refused', (t) => {
  const good = { mix: 'private-synthetic', seed: '1', count: '10', scale: '0.5', daf: 'x' };
  t.same(setOptions(good), { mix: 'private-synthetic', seed: 1, count: 10, scale: 0.5, daf: 'x' });
  for (const bad of [{ mix: 'other' }, { count: '0' }, { count: '60001' }, { count: 'many' }, { scale: '0.3' }, { sede: '1' }])
    t.throws(() => setOptions({ ...good, ...bad }), { code: 'ERR_DAF_BAD_OPTION' }, JSON.stringify(bad));
  t.end();
});
