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
  health.left('slow', 0);
  t.equal(health.pace('slow'), 1);
});

t.test('who goes takes its failures along, and its host keeps them for who comes next', async (t) => {
  const health = new WorkerHealth();
  for (const worker of ['bad', 'good']) health.arrived(worker, 'host', 0);
  for (let i = 0; i < 5; i++) health.failed('bad', 0);
  health.left('bad', 10);
  health.left('good', 10);
  health.arrived('bad', 'host', 20);
  t.ok(health.isAside('bad', 20), 'the same name');
  health.left('bad', 30);
  health.arrived('elsewhere', 'another host', 40);
  health.arrived('next', 'host', 40);
  health.arrived('beside', 'host', 40);
  t.ok(health.isAside('next', 40), 'another name, as a process that starts again has');
  t.notOk(health.isAside('elsewhere', 40) || health.isAside('beside', 40), 'one inherits, not all');
  t.notOk(health.isAside('next', 10_000), 'it comes out when the one before it would have');
  for (let i = 0; i < 3; i++) health.failed('next', 10_000);
  t.ok(health.isAside('next', 29_999), 'one failure was left over, and the second time is longer');
});

t.test('failures of workers that have gone are forgotten after a while, and are not kept of any number of them', async (t) => {
  const health = new WorkerHealth();
  const leave = (worker: string, now: number): void => {
    health.arrived(worker, worker, now);
    for (let i = 0; i < 3; i++) health.failed(worker, now);
    health.left(worker, now);
  };
  const remembered = (worker: string, now: number): boolean => {
    health.arrived(worker, worker, now);
    health.failed(worker, now);
    return health.isAside(worker, now);
  };
  leave('early', 0);
  leave('late', 1);
  t.notOk(remembered('early', 300_000));
  t.ok(remembered('late', 300_000));
  for (let i = 0; i <= 1000; i++) leave(`crowd-${i}`, 400_000);
  t.notOk(remembered('crowd-0', 400_000), 'the first of 1,001');
  t.ok(remembered('crowd-1', 400_000));
});
