import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { addon, type MapWriterOptions } from './index.js';
import { GROUP_BUFFER_BYTES, RecordBatch, readGroups } from './records.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytes = (value: string): Uint8Array => Buffer.from(value, 'latin1');

function scratch(test: { teardown(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'daf-shuffle-'));
  test.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function options(path: string, more: Partial<MapWriterOptions> = {}): MapWriterOptions {
  return {
    path,
    partitions: 3,
    bufferBytes: 1 << 16,
    combine: false,
    customPartitions: false,
    groupPrefix: 0,
    fanIn: 4,
    control: null,
    ...more,
  };
}

function read(paths: string[], partition: number, folder: string): [string, string[]][] {
  const reader = new (addon().MergeReader)({
    sources: paths.map((path) => ({ path, partition })),
    temp: join(folder, 'merge'),
    fanIn: 2,
    groupPrefix: 0,
    control: null,
  });
  reader.open();
  const groups: [string, string[]][] = [];
  for (const group of readGroups((buffer) => reader.next(buffer), new Uint8Array(GROUP_BUFFER_BYTES)).groups()) {
    groups.push([text(group.key), [...group.values].map(text)]);
  }
  reader.dispose();
  return groups;
}

t.test('records come back by key, then map, then emission, whatever the spills', (t) => {
  const folder = scratch(t);
  const expected = new Map<string, string[]>();
  const paths: string[] = [];
  for (let map = 0; map < 5; map++) {
    const path = join(folder, `map-${map}`);
    paths.push(path);
    const writer = new (addon().MapWriter)(options(path));
    const batch = new RecordBatch(1 << 12, (packed) => t.equal(writer.append(packed, null), packed.length));
    for (let i = 0; i < 3000; i++) {
      const key = `k${(i * 7919) % 101}\0\n\xff`;
      const value = `${map}:${i}`;
      batch.add(bytes(key), value);
      const values = expected.get(key);
      if (values === undefined) expected.set(key, [value]);
      else values.push(value);
    }
    batch.flush();
    const done = writer.finish();
    t.equal(done.records, 3000);
    t.ok(done.spills > 1);
    t.same(done.segments, addon().readSegmentIndex(path));
    t.same(done.segments, addon().verifySegments(path));
    writer.dispose();
  }
  const found = new Map<string, string[]>();
  for (let partition = 0; partition < 3; partition++) {
    const groups = read(paths, partition, folder);
    t.same(
      groups.map(([key]) => key),
      groups.map(([key]) => key).sort(),
    );
    for (const [key, values] of groups) {
      t.equal(addon().partitionOf(bytes(key), 3, 0), partition);
      found.set(key, values);
    }
  }
  t.same([...found].sort(), [...expected].sort());
  t.same(readdirSync(folder).sort(), ['map-0', 'map-1', 'map-2', 'map-3', 'map-4']);
  t.end();
});

t.test('a combiner sees whole groups of each spill and of the merge', (t) => {
  const folder = scratch(t);
  const path = join(folder, 'map');
  const writer = new (addon().MapWriter)(options(path, { combine: true, partitions: 1 }));
  const buffer = new Uint8Array(GROUP_BUFFER_BYTES);
  let passes = 0;
  const combine = (last: boolean): void => {
    while (writer.beginCombine(last)) {
      passes++;
      const out = new RecordBatch(1 << 12, (packed) => writer.writeCombined(packed));
      const groups = readGroups((into) => {
        out.flush();
        return writer.nextGroups(into);
      }, buffer);
      for (const group of groups.groups()) {
        let sum = 0;
        for (const value of group.values) sum += Number(text(value));
        out.add(group.key, String(sum));
      }
      writer.endCombine();
      if (!last) break;
    }
  };
  const batch = new RecordBatch(1 << 12, (packed) => {
    for (let rest = packed; rest.length > 0; ) {
      const taken = writer.append(rest, null);
      rest = rest.subarray(taken);
      if (rest.length > 0) combine(false);
    }
  });
  for (let i = 0; i < 20000; i++) batch.add(`word${i % 50}`, '1');
  batch.flush();
  combine(true);
  const done = writer.finish();
  t.ok(passes > 2, 'several spills and a merge');
  t.equal(done.records, 50);
  const groups = read([path], 0, folder);
  t.equal(groups.length, 50);
  t.ok(groups.every(([, values]) => values.length === 1 && values[0] === '400'));
  t.end();
});

t.test('a value of many megabytes and a value left before its end', (t) => {
  const folder = scratch(t);
  const path = join(folder, 'map');
  const writer = new (addon().MapWriter)(options(path, { partitions: 1 }));
  const batch = new RecordBatch(1 << 12, (packed) => writer.append(packed, null));
  const big = Buffer.alloc(9_000_001, 'abcdefg');
  batch.add('b', big);
  batch.add('a', 'x');
  batch.add('b', 'y');
  batch.add('c', '');
  batch.flush();
  writer.finish();
  const groups = read([path], 0, folder);
  t.same(
    groups.map(([key, values]) => [key, values.length]),
    [
      ['a', 1],
      ['b', 2],
      ['c', 1],
    ],
  );
  t.ok(groups[1]?.[1][0] === big.toString('latin1'));
  const reader = new (addon().MergeReader)({
    sources: [{ path, partition: 0 }],
    temp: '',
    fanIn: 2,
    groupPrefix: 0,
    control: null,
  });
  reader.open();
  const keys = [...readGroups((into) => reader.next(into), new Uint8Array(GROUP_BUFFER_BYTES)).groups()].map((group) =>
    text(group.key),
  );
  t.same(keys, ['a', 'b', 'c']);
  reader.dispose();
  t.end();
});

t.test('damage names the source', (t) => {
  const folder = scratch(t);
  const paths = [0, 1].map((map) => {
    const path = join(folder, `map-${map}`);
    const writer = new (addon().MapWriter)(options(path, { partitions: 1 }));
    const batch = new RecordBatch(1 << 12, (packed) => writer.append(packed, null));
    for (let i = 0; i < 1000; i++) batch.add(`key${i}`, 'value');
    batch.flush();
    writer.finish();
    return path;
  });
  const damaged = readFileSync(paths[1] as string);
  damaged[5000] = (damaged[5000] as number) ^ 1;
  writeFileSync(paths[1] as string, damaged);
  const reader = new (addon().MergeReader)({
    sources: paths.map((path) => ({ path, partition: 0 })),
    temp: '',
    fanIn: 2,
    groupPrefix: 0,
    control: null,
  });
  t.throws(() => reader.open(), { code: 'ERR_DAF_BAD_DATA' });
  t.equal(reader.failedSource, 1);
  t.throws(() => addon().verifySegments(paths[1] as string), { code: 'ERR_DAF_BAD_DATA' });
  t.throws(() => new (addon().MapWriter)(options('', {})), { code: 'ERR_DAF_BAD_ARGUMENT' });
  reader.dispose();
  t.throws(() => reader.next(new Uint8Array(10)), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.end();
});

t.test('lines and text', (t) => {
  const out = new Uint32Array(8);
  const chunk = bytes('one\r\n\ntwo\nrest');
  t.same(addon().splitLines(chunk, false, out), { lines: 3, consumed: 10 });
  t.same([...out.subarray(0, 6)], [0, 3, 5, 0, 6, 3]);
  t.same(addon().splitLines(chunk, true, out), { lines: 4, consumed: 14 });
  let written = '';
  const batch = new RecordBatch(1024, (packed) => {
    const target = new Uint8Array(64);
    const result = addon().formatRecords(packed, { keys: true, separator: bytes('\t'), newline: true }, target, 0);
    t.equal(result.consumed, packed.length);
    t.equal(result.records, 2);
    t.equal(result.crc, addon().crc32c(0, target.subarray(0, result.written)));
    written += text(target.subarray(0, result.written));
  });
  batch.add('a', '1');
  batch.add('ü', '');
  batch.flush();
  t.equal(written, `a\t1\n${Buffer.from('ü').toString('latin1')}\t\n`);
  t.end();
});

t.test('spans become records, cut points partition them', (t) => {
  const data = bytes('b2 a1 b1');
  const packed = new Uint8Array(64);
  const { records, written } = addon().packSpans(data, Uint32Array.of(0, 2, 3, 2, 6, 2), 1, packed);
  t.equal(records, 3);
  const cut = new Uint8Array(8 + 1 + 12);
  new DataView(cut.buffer).setUint32(0, 1, true);
  new DataView(cut.buffer).setUint32(4, 12, true);
  cut.set(bytes('b'), 8);
  new DataView(cut.buffer).setUint32(9, 1, true);
  const cuts = new (addon().CutPoints)(cut);
  t.equal(cuts.size, 1);
  const out = new Uint32Array(3);
  cuts.partition(packed.subarray(0, written), 1, Float64Array.of(0, 3, 6), out);
  t.same([...out], [1, 0, 1], 'of split 1, where the cut stands at byte 0');
  cuts.partition(packed.subarray(0, written), 0, Float64Array.of(0, 3, 6), out);
  t.same([...out], [0, 0, 0], 'the same keys from an earlier split');
  t.throws(() => cuts.partition(packed.subarray(0, written), 0, Float64Array.of(0), out), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.throws(() => new (addon().CutPoints)(cut.subarray(0, 12)), { code: 'ERR_DAF_BAD_DATA' });
  t.throws(() => addon().packSpans(data, Uint32Array.of(0, 99), 1, packed), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.end();
});

t.test('who stops between groups and asks again goes on there', async (t) => {
  const packed = new RecordBatch(1 << 10, (batch) => source.push(batch.slice()));
  const source: Uint8Array[] = [];
  for (const key of ['a', 'b', 'c']) packed.add(key, '1');
  packed.flush();
  const flagged = source[0]!;
  const view = new DataView(flagged.buffer, flagged.byteOffset);
  for (let at = 0; at < flagged.length; at += 10) view.setUint32(at, (view.getUint32(at, true) | 0xc0000000) >>> 0, true);
  const stream = readGroups((into) => {
    const next = source.shift();
    if (next !== undefined) into.set(next);
    return next?.length ?? 0;
  }, new Uint8Array(GROUP_BUFFER_BYTES));
  const seen: string[] = [];
  for (const { key } of stream.texts()) {
    seen.push(key);
    break;
  }
  for (const { key } of stream.texts()) seen.push(key);
  t.same(seen, ['a', 'b', 'c']);
});
