import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, fdatasyncSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addon } from '#daf/core/addon/index.js';
import { GROUP_BUFFER_BYTES } from '#daf/core/addon/records.js';
import { Peaks, peakOfOwn } from './engine/peaks.js';
import { type BenchOptions, median, type Row, row } from './row.js';

export const group = 'engine';
export const name = 'shuffle';

const RECORD = 100;
const KEY = 10;
const LINE = 99; // and a newline
const CHUNK = 4000 * RECORD * 10;
const MB = 1 << 20;

/**
 * How fast does the record path sort? One thread reads newline records of 100 bytes with random ASCII keys, sorts, spills, merges and writes
 * text, against `LC_ALL=C sort` on the same file with the same buffer, and against what moving the bytes costs. Everything is timed through
 * fdatasync, runs are interleaved, medians count.
 */
export async function run(options: BenchOptions): Promise<readonly Row[]> {
  const megabytes = options.quick ? 48 : 512;
  const buffer = options.quick ? 16 : 64;
  const repeats = options.quick ? 1 : 3;
  const folder = mkdtempSync(join(process.env['DAF_BENCH_DIR'] ?? tmpdir(), 'daf-bench-'));
  try {
    const input = join(folder, 'input');
    const bytes = writeInput(input, megabytes);
    const size = bytes / MB;
    const daf: number[] = [];
    const mapOnly: number[] = [];
    const one: number[] = [];
    const two: number[] = [];
    const disk: number[] = [];
    const copy: number[] = [];
    const peaks = new Peaks();
    for (let repeat = 0; repeat < repeats; repeat++) {
      copy.push(copySpeed());
      disk.push(timed(() => moveBytes(input, join(folder, 'moved'))));
      const phases = { total: 0, map: 0, spills: 0 };
      const sort = (): void => void Object.assign(phases, dafSort(input, folder, buffer));
      peaks.note('the sorting process', await peakOfOwn(sort));
      daf.push(phases.total);
      mapOnly.push(phases.map);
      one.push(timed(() => coreutils(input, join(folder, 'sorted'), buffer, 1)));
      two.push(timed(() => coreutils(input, join(folder, 'sorted'), buffer, 2)));
      options.log(
        `${megabytes} MB: daf ${daf[repeat]!.toFixed(2)} s (map ${phases.map.toFixed(2)} s, ${phases.spills} spills), ` +
          `sort ${one[repeat]!.toFixed(2)} s, sort --parallel=2 ${two[repeat]!.toFixed(2)} s, moving the bytes ${disk[repeat]!.toFixed(2)} s`,
      );
      if (repeat === 0) same(join(folder, 'daf'), join(folder, 'sorted'));
    }
    const what = `${megabytes} MB, 100-byte records, buffer ${buffer} MB, 1 thread`;
    const speed = size / median(daf);
    const perSecond = (seconds: number): string => `${(size / seconds).toFixed(0)} MB/s`;
    return [
      row('shuffle', what, speed, 'MB/s', `sort --parallel=1 ${perSecond(median(one))}`, median(one) / median(daf), 1),
      row('shuffle', what, speed, 'MB/s', `sort --parallel=2 ${perSecond(median(two))}`, median(two) / median(daf), null),
      row(
        'shuffle',
        what,
        speed,
        'MB/s',
        `write, read and write the bytes ${perSecond(median(disk))}`,
        median(disk) / median(daf),
        null,
      ),
      row(
        'shuffle: map side',
        `${what}: read, sort, spill, merge into one segment`,
        size / median(mapOnly),
        'MB/s',
        `memory copy ${median(copy).toFixed(0)} MB/s`,
        size / median(mapOnly) / median(copy),
        null,
      ),
      ...peaks.rows('shuffle', what),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Random printable keys, a running number in the value, deterministic. */
function writeInput(path: string, megabytes: number): number {
  const records = Math.floor((megabytes * MB) / RECORD);
  const file = openSync(path, 'w');
  const chunk = Buffer.alloc(CHUNK, 'x');
  let seed = 12345;
  for (let done = 0; done < records; ) {
    const count = Math.min(CHUNK / RECORD, records - done);
    for (let i = 0; i < count; i++) {
      const at = i * RECORD;
      for (let k = 0; k < KEY; k++) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        chunk[at + k] = 32 + ((seed >>> 8) % 95);
      }
      chunk.write(String(done + i).padStart(12, '0'), at + KEY, 'latin1');
      chunk[at + RECORD - 1] = 10;
    }
    writeSync(file, chunk, 0, count * RECORD);
    done += count;
  }
  fdatasyncSync(file);
  closeSync(file);
  return records * RECORD;
}

function dafSort(input: string, folder: string, buffer: number): { total: number; map: number; spills: number } {
  const start = performance.now();
  const segment = join(folder, 'segment');
  const writer = new (addon().MapWriter)({
    path: segment,
    partitions: 1,
    bufferBytes: buffer * MB,
    combine: false,
    customPartitions: false,
    groupPrefix: 0,
    fanIn: 32,
    control: null,
  });
  const chunk = new Uint8Array(CHUNK);
  const packed = new Uint8Array((CHUNK / RECORD) * (8 + LINE));
  const spans = Uint32Array.from({ length: (2 * CHUNK) / RECORD }, (_, i) => (i % 2 === 0 ? (i / 2) * RECORD : LINE));
  const file = openSync(input, 'r');
  for (let got = readSync(file, chunk); got > 0; got = readSync(file, chunk)) {
    const { written } = addon().packSpans(chunk, spans.subarray(0, (2 * got) / RECORD), KEY, packed);
    writer.append(packed.subarray(0, written), null);
  }
  closeSync(file);
  const { spills } = writer.finish();
  writer.dispose();
  const map = (performance.now() - start) / 1000;

  const reader = new (addon().MergeReader)({
    sources: [{ path: segment, partition: 0 }],
    temp: join(folder, 'merge'),
    fanIn: 32,
    groupPrefix: 0,
    control: null,
  });
  reader.open();
  const batch = new Uint8Array(GROUP_BUFFER_BYTES);
  const text = new Uint8Array(2 * GROUP_BUFFER_BYTES);
  const lines = { keys: true, separator: new Uint8Array(0), newline: true };
  const out = openSync(join(folder, 'daf'), 'w');
  let crc = 0;
  for (let n = reader.next(batch); n > 0; n = reader.next(batch)) {
    const done = addon().formatRecords(batch.subarray(0, n), lines, text, crc);
    crc = done.crc;
    writeSync(out, text, 0, done.written);
  }
  fdatasyncSync(out);
  closeSync(out);
  reader.dispose();
  const total = (performance.now() - start) / 1000;
  rmSync(segment);
  return { total, map, spills };
}

function coreutils(input: string, output: string, buffer: number, parallel: number): void {
  const sort = spawnSync(
    'sort',
    ['-k1.1,1.10', '-s', '-S', `${buffer}M`, `--parallel=${parallel}`, '-T', join(output, '..'), '-o', output, input],
    { env: { ...process.env, LC_ALL: 'C' } },
  );
  if (sort.status !== 0) throw new Error(`sort failed: ${sort.stderr}`);
  const file = openSync(output, 'r+');
  fdatasyncSync(file);
  closeSync(file);
}

/** What an external sort cannot do without: write the runs, read them, write the output. */
function moveBytes(input: string, output: string): void {
  const chunk = new Uint8Array(MB);
  for (const [from, to] of [
    [input, `${output}.run`],
    [`${output}.run`, output],
  ] as const) {
    const source = openSync(from, 'r');
    const target = openSync(to, 'w');
    for (let n = readSync(source, chunk); n > 0; n = readSync(source, chunk)) writeSync(target, chunk, 0, n);
    if (to === output) fdatasyncSync(target);
    closeSync(source);
    closeSync(target);
  }
  rmSync(output);
  rmSync(`${output}.run`);
}

/** MB/s of copying 64 MB that are in neither cache. */
function copySpeed(): number {
  const from = Buffer.alloc(64 * MB, 1);
  const to = Buffer.alloc(64 * MB, 2);
  return 64 / timed(() => from.copy(to));
}

function same(a: string, b: string): void {
  const disagree = new Error('DAF and sort disagree: the figures mean nothing');
  if (!existsSync(a) || statSync(a).size !== statSync(b).size) throw disagree;
  // A piece at a time: both as a whole would be what this process's memory is measured by.
  const [left, right] = [openSync(a, 'r'), openSync(b, 'r')];
  const [ours, theirs] = [Buffer.alloc(MB), Buffer.alloc(MB)];
  for (let n = readSync(left, ours); n > 0; n = readSync(left, ours)) {
    let got = 0;
    while (got < n) got += readSync(right, theirs, got, n - got, null);
    if (ours.compare(theirs, 0, n, 0, n) !== 0) throw disagree;
  }
  closeSync(left);
  closeSync(right);
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}
