import t from 'tap';
import { RecordBatch } from './records.js';

t.test('what is neither text nor bytes is refused, and costs no record beside it', async (t) => {
  const taken: number[] = [];
  const batch = new RecordBatch(1 << 10, (packed, records) => taken.push(packed.length, records));
  batch.add('key', 'value');
  for (const bad of [1, true, null, undefined, {}, [1], 1n, new Uint16Array(1), new ArrayBuffer(1)]) {
    t.throws(() => batch.add('key', bad as unknown as string), { code: 'ERR_DAF_USER_CODE' }, `value ${String(bad)}`);
    t.throws(() => batch.add(bad as unknown as string, 'value'), { code: 'ERR_DAF_USER_CODE' }, `key ${String(bad)}`);
  }
  batch.add('key', 'value');
  batch.flush();
  t.same(taken, [2 * (8 + 3 + 5), 2]);
});

t.test('records that could not be handed on are not forgotten by one who catches that', async (t) => {
  const disk = new Error('no room');
  for (const value of ['value', 'long'.repeat(1000)]) {
    let calls = 0;
    const batch = new RecordBatch(1 << 10, () => {
      if (++calls === 2) throw disk;
    });
    let caught = 0;
    for (let i = 0; i < 1000; i++) {
      try {
        batch.add(`key-${i}`, value);
      } catch {
        caught++;
      }
    }
    t.ok(caught > 1);
    t.throws(() => batch.flush(), disk);
    t.throws(() => batch.guard(() => {}), disk);
    t.equal(calls, 2, 'nothing goes on after it');
  }
  t.doesNotThrow(() => {
    const batch = new RecordBatch(1 << 10, () => {});
    t.throws(() => batch.add('k'.repeat((1 << 20) + 1), 'value'), { code: 'ERR_DAF_BAD_ARGUMENT' });
    batch.add('key', 'value');
    batch.flush();
  }, 'a key that is too long was never there');
});
