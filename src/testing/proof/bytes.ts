import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type clearGroupFlags, GROUP_BUFFER_BYTES } from '../../core/addon/records.js';
import type { Cluster } from '../../engine/cluster/cluster.js';
import type { JobResult } from '../../engine/cluster/result.js';
import { defineJob } from '../../engine/jobs/define.js';
import { countWords, sortedLines } from '../engine-fixture.js';

// Awkward sizes and shapes of data: each at the scale that the caller names.

interface Peaks {
  readonly peakBytes: number;
  readonly tasks: readonly { readonly task: string; readonly reservedBytes: number; readonly processPeakBytes: number }[];
}

/** What a job reported of its memory: the largest peak of any of its processes, and what its tasks had reserved. */
export async function memoryOf(result: JobResult): Promise<Peaks> {
  return (await result.report()) as Peaks;
}

/** Emits the numbers of its range under one key; reduce checks that they come in order, and adds up. */
const equalKeys = defineJob({
  name: 'equal-keys',
  text: false,
  map({ value }, emit) {
    const [from, count] = Buffer.from(value).toString().split('+').map(Number) as [number, number];
    const number = Buffer.alloc(6);
    const key = Buffer.from('the same');
    for (let i = from; i < from + count; i++) {
      number.writeUIntBE(i, 0, 6);
      emit(key, number);
    }
  },
  reduce(key, values, emit) {
    let next = 0;
    for (const value of values) {
      const number = Buffer.from(value.buffer, value.byteOffset, 6).readUIntBE(0, 6);
      if (number !== next) throw new Error(`${number} comes after ${next - 1}`);
      next += 1;
    }
    emit(key, Buffer.from(String(next)));
  },
});

/** One key with `records` values, which one reducer streams in the order of the input. */
export async function oneKey(t: Test, cluster: Cluster, records: number): Promise<void> {
  const splits = 8;
  const items = Array.from({ length: splits }, (_, i) => `${(i * records) / splits}+${records / splits}`);
  const job = await cluster.submit(equalKeys, { input: { items }, itemsPerSplit: 1, reducers: 3 });
  const result = await job.result();
  t.equal((await result.text()).trim(), `the same\t${records}`, `${records} equal keys in order`);
  t.equal(
    result.manifest.outputs.reduce((sum, { records: out }) => sum + (out ?? 0), 0),
    1,
  );
}

/** Emits one value of as many bytes as its record says, all of them its last digit, and an empty one; reduce passes pieces on as they come. */
const largeValues = defineJob({
  name: 'large-values',
  text: false,
  output: { kind: 'raw' },
  map({ value }, emit) {
    const bytes = Number(Buffer.from(value).toString());
    const key = Buffer.from(value);
    emit(key, new Uint8Array(0));
    emit(key, new Uint8Array(bytes).fill(48 + (bytes % 10)));
  },
  async reduceGroups(groups, sink, { params }) {
    const { clearGroupFlags: clear } = (await import(String(params['records']))) as {
      clearGroupFlags: typeof clearGroupFlags;
    };
    const buffer = new Uint8Array(Number(params['buffer']));
    for (let used = groups.fill(buffer); used > 0; used = groups.fill(buffer)) {
      clear(buffer.subarray(0, used));
      sink.batch(buffer.subarray(0, used));
    }
  },
});

/** Values of so many bytes, each beside an empty one, through a whole job. */
export async function bigValues(t: Test, cluster: Cluster, sizes: readonly number[], limitBytes: number): Promise<void> {
  const params = { records: new URL('../../core/addon/records.js', import.meta.url).href, buffer: GROUP_BUFFER_BYTES };
  const options = { input: { items: sizes.map(String) }, itemsPerSplit: 1, reducers: 1, params };
  const result = await (await cluster.submit(largeValues, options)).result();
  const expected = sizes.map((bytes) => String(bytes)).sort();
  const [part] = result.manifest.outputs.filter(({ name }) => name.startsWith('part-'));
  t.equal(
    part!.bytes,
    sizes.reduce((sum, bytes) => sum + bytes, 0),
  );
  t.equal(part!.records, 2 * sizes.length);
  let at = 0;
  const bytes = await result.read(part!.name);
  for (const size of expected.map(Number)) {
    const value = bytes.subarray(at, at + size);
    t.ok(
      value.every((byte) => byte === 48 + (size % 10)),
      `the value of ${size} bytes`,
    );
    at += size;
  }
  const { peakBytes, tasks } = await memoryOf(result);
  t.ok(
    tasks.every(({ reservedBytes, processPeakBytes }) => reservedBytes > 0 && processPeakBytes > 0),
    'the report gives reserved and measured peak of every task',
  );
  const worst = Math.max(...tasks.map(({ processPeakBytes }) => processPeakBytes));
  t.ok(worst > 0 && worst < limitBytes, `workers took ${worst >> 20} MB at most (${peakBytes >> 20} MB any process)`);
}

/** Word count into so many parts, most of them empty. */
export async function manyReducers(t: Test, cluster: Cluster, wordcount: string, text: string, reducers: number): Promise<void> {
  const job = await cluster.submit(wordcount, { input: { items: text.split('\n') }, reducers, separator: ' ' });
  const result = await job.result();
  t.equal(result.manifest.outputs.filter(({ name }) => name.startsWith('part-')).length, reducers);
  t.ok((await sortedLines(result)) === countWords([text]), `the same words in ${reducers} parts`);
}

/** So many files of a few bytes: few splits, and every record there once. */
export async function tinyFiles(t: Test, cluster: Cluster, folder: string, wordcount: string, files: number): Promise<void> {
  const input = join(folder, 'tiny');
  mkdirSync(input);
  const texts = Array.from({ length: files }, (_, i) => `word${'abcdefghij'[i % 10]} number ${i}${i % 3 === 0 ? '' : '\n'}`);
  for (const [i, text] of texts.entries()) writeFileSync(join(input, `${i}.txt`), text);
  const result = await (await cluster.submit(wordcount, { input, reducers: 2, separator: ' ' })).result();
  t.equal(result.manifest.inputs.splits, Math.ceil(files / 2048), `${files} files are few splits`);
  t.equal(result.manifest.inputs.records, files);
  t.ok((await sortedLines(result)) === countWords(texts));
}

/** Checks a sorted output of records against a stable sort of its input: order, duplicates, count. */
export function checkSorted(t: Test, input: Buffer, output: string, record: number, key: number): Buffer {
  const names = readdirSync(output).filter((name) => name.startsWith('part-r-'));
  const found = Buffer.concat(names.sort().map((name) => readFileSync(join(output, name))));
  const records = Array.from({ length: input.length / record }, (_, i) => input.subarray(i * record, (i + 1) * record));
  const sorted = records
    .map((bytes, i) => ({ bytes, i }))
    .sort((a, b) => Buffer.compare(a.bytes.subarray(0, key), b.bytes.subarray(0, key)) || a.i - b.i);
  t.equal(found.length, input.length, 'no record more or less');
  t.ok(
    found.equals(Buffer.concat(sorted.map(({ bytes }) => bytes))),
    `${names.length} parts, one after the other, are a stable sort`,
  );
  return found;
}
