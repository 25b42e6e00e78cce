import t from 'tap';
import { WorkerHealth } from './worker-health.js';

t.test('failures in a row put a worker aside, for longer every time; a success clears it', async (t) => {
  const health = new WorkerHealth();
  const fail = (times: number, now: number): void => {
    for (let i = 0; i < times; i++) health.failed('bad', now);
  };
  fail(3, 0);
  health.succeeded('bad', 1);
  fail(3, 0);
  t.notOk(health.isAside('bad', 0), 'three in a row are no pattern');
  fail(1, 0);
  t.ok(health.isAside('bad', 9_999));
  t.notOk(health.isAside('bad', 10_000));
  fail(4, 10_000);
  t.ok(health.isAside('bad', 29_999), 'twice as long');
  health.succeeded('bad', 1);
  fail(4, 50_000);
  t.notOk(health.isAside('bad', 60_000), 'back to the first period');
});

t.test('never more than half of the workers are aside', async (t) => {
  const health = new WorkerHealth();
  for (const worker of ['a', 'b', 'c']) for (let i = 0; i < 4; i++) health.failed(worker, 0);
  t.equal(health.aside(['a', 'b', 'c'], 1).size, 1);
  t.equal(health.aside(['a'], 1).size, 0, 'the only one goes on');
  t.equal(health.aside(['a', 'b', 'c', 'd'], 1).size, 2);
  t.ok(health.any(1));
  t.notOk(health.any(20_000));
});

t.test('pace follows what tasks took', async (t) => {
  const health = new WorkerHealth();
  t.equal(health.pace('new'), 1);
  for (let i = 0; i < 20; i++) health.succeeded('slow', 3);
  t.ok(health.pace('slow') > 2.9);
  health.forget('slow');
  t.equal(health.pace('slow'), 1);
});
