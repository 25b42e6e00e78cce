import t from 'tap';
import { FIRST, LAST, PACKED_HEADER } from '../contracts/record.js';
import { RecordBatch, readGroups } from './records.js';

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

t.test('fields of every length, ASCII or not, valid UTF-8 or not, are written and read as Buffer does', async (t) => {
  const wide = ['é', '€', '😀', '\u0000', '\u007f', '\ud800'];
  const fields = ['', ...wide];
  for (let length = 1; length <= 30; length++) {
    const ascii = Array.from({ length }, (_, i) => String.fromCharCode((31 * length + 7 * i) % 128)).join('');
    fields.push(ascii, ...wide.map((each) => ascii.slice(1) + each), `é${ascii}`);
  }
  const batches: Buffer[] = [];
  const batch = new RecordBatch(1 << 10, (packed) => batches.push(Buffer.from(packed)));
  for (const field of fields) {
    batch.add(field, 'v');
    batch.add('k', field);
    batch.add(field, Buffer.from(field));
  }
  batch.flush();
  const pairs = fields.flatMap((field) => [
    [field, 'v'],
    ['k', field],
    [field, field],
  ]);
  const packed = pairs.flatMap(([key, value]) => {
    const [keyBytes, valueBytes] = [Buffer.from(key!), Buffer.from(value!)];
    const head = Buffer.alloc(PACKED_HEADER);
    head.writeUInt32LE(keyBytes.length, 0);
    head.writeUInt32LE(valueBytes.length, 4);
    return [head, keyBytes, valueBytes];
  });
  t.same(Buffer.concat(batches), Buffer.concat(packed));

  const odd = fields.map((field) => Buffer.from(field)).concat(Array.from({ length: 12 }, (_, n) => Buffer.alloc(n, 0xc3)));
  const flagged = odd.map((key) => {
    const head = Buffer.alloc(PACKED_HEADER);
    head.writeUInt32LE((FIRST | LAST | key.length) >>> 0, 0);
    head.writeUInt32LE(key.length, 4);
    return Buffer.concat([head, key, key]);
  });
  const read: string[] = [];
  const { texts } = readGroups(
    (buffer) => {
      const next = flagged.shift();
      buffer.set(next ?? []);
      return next?.length ?? 0;
    },
    new Uint8Array(1 << 10),
  );
  for (const { key, values } of texts()) read.push(key, ...values);
  t.same(
    read,
    odd.flatMap((each) => [each.toString(), each.toString()]),
  );
});
