import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { DafError } from '../core/contracts/errors.js';
import { sampleText } from './engine-fixture.js';
import { mutate } from './mutate.js';
import { type Lines, type ReadOptions, readPacked } from './packed-file.js';
import { Random } from './simulation/random.js';
import { seekTable, zstdFrame, zstdStream } from './zstd-frame.js';

/** What a packed file may be refused with: the caller's data are at fault, or larger than the memory. */
const REFUSALS = ['ERR_DAF_BAD_DATA', 'ERR_DAF_MEMORY_LIMIT', 'ERR_DAF_UNSUPPORTED'];
const MEMORY = 1 << 20;
/** A decoder that stands still takes longer than that. */
const PATIENCE_MS = 10_000;

export interface FuzzCount {
  files: number;
  read: number;
  refused: number;
}

/**
 * Mutated gzip and zstd files, as tasks would read them: each gives lines or is refused with a reason, soon; in pieces it gives the very
 * lines that it gives as a whole, or is refused.
 * @param until performance.now() when to stop
 * @throws what is wrong, with the seed and the file
 */
export async function fuzzPacked(seed: number, until: number): Promise<FuzzCount> {
  const random = new Random(seed);
  const seeds = validFiles();
  const count: FuzzCount = { files: 0, read: 0, refused: 0 };
  while (performance.now() < until) {
    const { compression, file: valid } = random.pick(seeds);
    const file = mutate(valid, random);
    const whole = await attempt(file, { compression, step: Number.MAX_SAFE_INTEGER, memory: MEMORY });
    const step = random.pick([1, 20, 300]);
    const parts = compression === 'zstd' ? await attempt(file, { compression, step, memory: MEMORY }) : whole;
    count.files += 1;
    if (whole === null) count.refused += 1;
    else count.read += 1;
    const wrong = (why: string): Error =>
      new Error(`seed ${seed}, file ${count.files}, pieces of ${step}: ${why}\n${file.toString('base64')}`);
    if (parts !== null && whole === null) throw wrong('it can be read in pieces only');
    if (parts !== null && whole !== null && !same(parts.lines, whole.lines)) throw wrong('its pieces have other lines');
  }
  return count;
}

/** Null where it is refused as it should be. */
async function attempt(file: Buffer, options: ReadOptions): Promise<Lines | null> {
  const begun = performance.now();
  const outcome = await readPacked(file, options).catch((error: unknown) => error as Error);
  const wrong = (why: string): Error => new Error(`${options.compression}: ${why}: ${file.toString('base64')}`);
  if (performance.now() - begun > PATIENCE_MS) throw wrong('it took too long');
  if (!(outcome instanceof Error)) return outcome;
  if (DafError.is(outcome) && REFUSALS.includes(outcome.code)) return null;
  throw wrong(`refused with ${outcome}`);
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}

function validFiles(): { readonly compression: 'gzip' | 'zstd'; readonly file: Buffer }[] {
  const text = sampleText(60, 1);
  const frames = [zstdFrame('one\ntwo'), zstdFrame('\nthree\n', 3), zstdFrame('')];
  const stream = zstdStream([
    { type: 0, bytes: Buffer.from('a\nb'), size: 3 },
    { type: 1, bytes: Buffer.from('c'), size: 400 },
    { type: 0, bytes: Buffer.from('\nd\n'), size: 3 },
  ]);
  const seekable = [...frames, stream];
  const contents = [7, 7, 0, 406];
  const zstd = [
    Buffer.concat(frames),
    Buffer.concat([stream, stream, zstdFrame(text, 100)]),
    Buffer.concat([...seekable, seekTable(seekable.map(({ length }, i) => [length, contents[i]!] as const))]),
  ];
  // Compressed blocks, with checksums; where there is no such program the others have to do.
  for (const args of [['-19', '--check'], ['-1']]) {
    const { stdout, status } = spawnSync('zstd', ['-q', '-c', ...args], { input: text });
    if (status === 0) zstd.push(Buffer.concat([stdout, ...frames, stdout]));
  }
  const gzip = [gzipSync(text), Buffer.concat([gzipSync('a\nb'), gzipSync('c\n'), gzipSync('')])];
  return [
    ...zstd.map((file) => ({ compression: 'zstd' as const, file })),
    ...gzip.map((file) => ({ compression: 'gzip' as const, file })),
  ];
}
