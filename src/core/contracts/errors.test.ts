import t from 'tap';
import { DafError, fromWire, toWire } from './errors.js';

t.test('an error survives the trip across a border', async (t) => {
  const cause = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  const error = new DafError('ERR_DAF_TASK_FAILED', 'map-3 failed', { hint: 'free space', retryable: true, cause });
  const back = fromWire(JSON.parse(JSON.stringify(toWire(error))));
  t.ok(DafError.is(back));
  t.equal(back.code, 'ERR_DAF_TASK_FAILED');
  t.equal(back.hint, 'free space');
  t.equal(back.retryable, true);
  t.equal((back.cause as DafError).code, 'ERR_DAF_IO');
});

t.test('native and foreign errors get the nearest code', async (t) => {
  t.equal(DafError.from(Object.assign(new Error('x'), { code: 'ERR_DAF_BAD_DATA' })).code, 'ERR_DAF_BAD_DATA');
  t.equal(DafError.from(Object.assign(new Error('x'), { code: 'EACCES' })).code, 'ERR_DAF_PERMISSION');
  t.equal(DafError.from(Object.assign(new Error('x'), { code: 'EISDIR' })).code, 'ERR_DAF_IO');
  t.equal(DafError.from('a string').code, 'ERR_DAF_INTERNAL');
  t.equal(DafError.from(new TypeError('x'), 'ERR_DAF_USER_CODE').code, 'ERR_DAF_USER_CODE');
});

t.test('a full disk and too few descriptors come with what to do about them', async (t) => {
  t.match(DafError.from(Object.assign(new Error('no space left'), { code: 'ENOSPC' })), {
    code: 'ERR_DAF_IO',
    hint: /free some space/,
  });
  t.match(DafError.from(Object.assign(new Error('too many'), { code: 'EMFILE' })), { code: 'ERR_DAF_IO', hint: /ulimit -n/ });
});

t.test('a cycle of causes ends', async (t) => {
  const a = new DafError('ERR_DAF_INTERNAL', 'a');
  Object.defineProperty(a, 'cause', { value: a });
  let depth = 0;
  for (let wire = toWire(a).cause; wire !== null; wire = wire.cause) depth += 1;
  t.ok(depth <= 5);
});

t.test('a wrapped error says its message once', async (t) => {
  const wire = toWire(new TypeError('x is not a function'));
  t.equal(wire.message, 'x is not a function');
  t.equal(wire.cause, null);
  t.equal(toWire(DafError.from(new TypeError('y'))).cause, null);
});
