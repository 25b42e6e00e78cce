import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { addon } from '../../../core/addon/index.js';
import { GROUP_BUFFER_BYTES, readGroups } from '../../../core/addon/records.js';
import type { GroupStream, RecordSink, StageRunner, TaskContext } from '../../../core/contracts/stage.js';
import type { StepSpec } from '../../../core/contracts/step.js';
import { ShuffleSink } from './shuffle-sink.js';

const REDUCERS = 2;
const STEP = {
  reducers: REDUCERS,
  groupPrefix: 0,
  memory: { sortBuffer: 64 << 10, task: 1 << 20 },
} as StepSpec;
const CONTEXT = { control: null } as unknown as TaskContext;

/** Joins the values of a key in their order, and counts how it is called. */
class Joiner implements Partial<StageRunner> {
  readonly gather: boolean;
  calls = 0;
  #inside = false;

  constructor(gather: boolean) {
    this.gather = gather;
  }

  readonly combine: NonNullable<StageRunner['combine']> = (groups, sink) => {
    if (this.#inside) throw new Error('a combiner runs inside another');
    this.#inside = true;
    for (const { key, values } of groups.texts()) {
      this.calls++;
      sink.emit(key, [...values].join(','));
    }
    this.#inside = false;
  };

  get runner(): StageRunner {
    return this as unknown as StageRunner;
  }
}

/** What reducers would see: every key's values end to end. */
function sorted(path: string): Map<string, string> {
  const all = new Map<string, string>();
  for (let partition = 0; partition < REDUCERS; partition++) {
    const source = { path, partition };
    const reader = new (addon().MergeReader)({ sources: [source], temp: `${path}.m`, fanIn: 2, groupPrefix: 0, control: null });
    reader.open();
    for (const { key, values } of readGroups((buffer) => reader.next(buffer), new Uint8Array(GROUP_BUFFER_BYTES)).texts())
      all.set(key, [...values].join(','));
    reader.dispose();
  }
  return all;
}

function fold(t: Test, runner: StageRunner, emitAll: (sink: ShuffleSink) => void): { all: Map<string, string>; emitted: number } {
  const folder = mkdtempSync(join(tmpdir(), 'daf-sink-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'segments');
  const sink = new ShuffleSink(path, STEP, runner, null, CONTEXT);
  emitAll(sink);
  const { emitted } = sink.finish();
  return { all: sorted(path), emitted };
}

/** Frequent and rare keys, text and bytes, values too long to gather. */
function* records(): Generator<[string | Uint8Array, string]> {
  for (let i = 0; i < 60_000; i++) {
    const n = i % 2 === 0 ? i % 38 : (i * 7919) % 9001;
    const key = `key-${n}`;
    yield [i % 13 === 0 ? Buffer.from(key) : key, i % 4999 === 0 ? 'long'.repeat(100) : i % 3 === 0 ? String(i) : '1'];
  }
}

t.test('gathered or not, a key has the same values in the same order', async (t) => {
  const expected = new Map<string, string>();
  for (const [key, value] of records()) {
    const text = key.toString();
    expected.set(text, expected.has(text) ? `${expected.get(text)},${value}` : value);
  }
  const emit = (sink: ShuffleSink): void => {
    for (const [key, value] of records()) sink.emit(key, value);
  };
  const [gathering, plain] = [new Joiner(true), new Joiner(false)];
  const gathered = fold(t, gathering.runner, emit);
  const straight = fold(t, plain.runner, emit);
  t.same(gathered.all, expected);
  t.same(straight.all, expected);
  t.equal(straight.emitted, 60_000);
  t.ok(gathered.emitted < 40_000, `${gathered.emitted} records reach the sort`);
});

t.test('what a batch brings comes behind what was emitted before', async (t) => {
  const { all } = fold(t, new Joiner(true).runner, (sink) => {
    sink.emit('key', 'first');
    const packed = Buffer.alloc(8 + 3 + 6);
    packed.writeUInt32LE(3, 0);
    packed.writeUInt32LE(6, 4);
    packed.write('keysecond', 8);
    sink.batch(packed.subarray(0, 17));
    sink.emit('key', 'third');
  });
  t.equal(all.get('key'), 'first,second,third');
});

t.test('a partition of its own is asked for what is left', async (t) => {
  const joiner = new Joiner(true);
  const asked: string[] = [];
  const runner = Object.assign(joiner, {
    partition: (key: Uint8Array): number => {
      asked.push(Buffer.from(key).toString());
      return key[0] === 97 ? 0 : 1;
    },
  }).runner;
  const { all } = fold(t, runner, (sink) => {
    for (let i = 0; i < 1000; i++) sink.emit(i % 2 === 0 ? 'a' : 'b', '1');
  });
  t.same(asked.sort(), ['a', 'b']);
  t.equal(all.get('a')?.length, 999);
  t.equal(all.get('b')?.length, 999);
});

t.test('an error of the combiner is what emitting throws', async (t) => {
  const runner = {
    gather: true,
    combine: () => {
      throw new TypeError('no');
    },
  } as unknown as StageRunner;
  t.throws(
    () =>
      fold(t, runner, (sink) => {
        for (let i = 0; i < 100_000; i++) sink.emit(`key-${i}`, 'value');
      }),
    new TypeError('no'),
  );
});

t.test('a map that catches what its combiner throws does not lose records: its task fails', async (t) => {
  let calls = 0;
  const runner = {
    gather: true,
    combine(groups: GroupStream, sink: RecordSink) {
      if (++calls === 2) throw new TypeError('once');
      for (const { key, values } of groups.texts()) sink.emit(key, [...values].join(','));
    },
  } as unknown as StageRunner;
  t.throws(
    () =>
      fold(t, runner, (sink) => {
        for (let i = 0; i < 200_000; i++) {
          try {
            sink.emit(`key-${i}`, 'value');
          } catch {
            // as a map passes over what it cannot use
          }
        }
      }),
    new TypeError('once'),
  );
  t.equal(calls, 2, 'no combiner runs after the failure');
});

t.test('a map that catches what its emit throws does not lose records', async (t) => {
  let calls = 0;
  const runner = {
    gather: false,
    combine(groups: GroupStream, sink: RecordSink) {
      if (++calls === 2) throw new TypeError('once');
      for (const { key, values } of groups.texts()) sink.emit(key, [...values].join(','));
    },
  } as unknown as StageRunner;
  const attempt = (emit: () => void): void => {
    try {
      emit();
    } catch {
      // as a map passes over what it cannot use
    }
  };
  t.throws(
    () =>
      fold(t, runner, (sink) => {
        for (let i = 0; i < 200_000; i++) attempt(() => sink.emit(`key-${i}`, 'value'));
      }),
    new TypeError('once'),
    'of a full buffer',
  );
  const packed = Buffer.alloc(8 + 3 + 1);
  packed.writeUInt32LE(3, 0);
  packed.writeUInt32LE(1, 4);
  const picky = {
    partition: () => {
      throw new TypeError('no place');
    },
  } as unknown as StageRunner;
  t.throws(() => fold(t, picky, (sink) => attempt(() => sink.batch(packed))), new TypeError('no place'), 'of a batch');
});

t.test('a record that is refused leaves the others where their keys belong', async (t) => {
  const runner = { partition: (key: Uint8Array) => (key[0] === 97 ? 0 : 1) } as unknown as StageRunner;
  const folder = mkdtempSync(join(tmpdir(), 'daf-sink-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'segments');
  const sink = new ShuffleSink(path, STEP, runner, null, CONTEXT);
  sink.emit('a', '1');
  t.throws(() => sink.emit('b'.repeat((1 << 20) + 1), '1'), { code: 'ERR_DAF_BAD_ARGUMENT' });
  sink.emit('a', '2');
  sink.emit('b', '3');
  sink.finish();
  const source = { path, partition: 0 };
  const reader = new (addon().MergeReader)({ sources: [source], temp: `${path}.m`, fanIn: 2, groupPrefix: 0, control: null });
  reader.open();
  const groups = readGroups((buffer) => reader.next(buffer), new Uint8Array(GROUP_BUFFER_BYTES)).texts();
  t.same(
    [...groups].map(({ key }) => key),
    ['a'],
  );
  reader.dispose();
});
