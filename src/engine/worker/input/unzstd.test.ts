import { spawnSync } from 'node:child_process';
import t from 'tap';
import type { SplitPiece } from '../../../core/contracts/job.js';
import { type FramePlace, scanFrames } from '../../../core/zstd/scan.js';
import { sampleText } from '../../../testing/engine-fixture.js';
import { zstdFrame, zstdStream } from '../../../testing/zstd-frame.js';
import { BlockBuffer } from './blocks.js';
import type { ByteSource } from './source.js';
import { unpackedLines } from './unpack.js';
import { loadZstd, zstdMemory } from './zstd-stream.js';

/** `line <n> of a packed file` for n from 0 to 199, by `zstd -19 --check`. */
const PACKED = Buffer.from(
  'KLUv/WTiEj0IADaUKRWQqdBqqIjCR/5/XEQiu3uHp643AAEwACQAGgBVVVVVREREREQzMzMzMyIiIiIi/w9xVjQSgADBoMAwQHAgELBgCDAUKBgOBoIEA4T//z88PDw8PDw8PDwcY4wxxhhDCCGEEEKIu7u7uzszMzMzs6q11lprrbVSSimllFI655xzzjmnlFJKKaWUA+M4juM4juMoiqIoiqIoivfee++991prrbXWWhuAyKgREPr939BTtQERJAT/CIHED1dLs7O5mVlbVc3NzNZmam3xg8QgLUgSJAOpQCogBch/4X8BAAEAEAAAAQAQAACB6i/+2i/6lV/4dV/2VV/0VzBMYJhgJmuxAKkCIPRSvg==',
  'base64',
);
const LINES = Array.from({ length: 200 }, (_, i) => `line ${i} of a packed file`);

interface Read {
  readonly lines: string[];
  readonly offsets: number[];
}

async function read(file: Buffer, part: Partial<SplitPiece> = {}, memory = 8 << 20): Promise<Read> {
  const where = {
    name: 'in.zst',
    path: '',
    stored: false,
    offset: 0,
    length: file.length,
    fileLength: file.length,
    version: null,
  };
  const piece = { ...where, compression: 'zstd', unpackedOffset: 0, unpackedLength: null, split: 0, at: 0, ...part } as const;
  const source: ByteSource = {
    read: (target, at, length, position) => file.copy(target, at, position, Math.min(file.length, position + length)),
    close() {},
  };
  const found: Read = { lines: [], offsets: [] };
  for await (const { data, count, values, offset } of unpackedLines(piece, source, BlockBuffer.take(1 << 20), memory)) {
    for (let i = 0; i < count; i++) {
      found.lines.push(data.toString('utf8', values[2 * i]!, values[2 * i]! + values[2 * i + 1]!));
      found.offsets.push(offset + values[2 * i]!);
    }
  }
  return found;
}

function skippable(bytes: Buffer, magic = 0x184d2a50): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(magic, 0);
  header.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

function places(file: Buffer): FramePlace[] {
  return [...scanFrames((position, length) => file.subarray(position, position + length), file.length, 'in.zst')];
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

t.test('one frame, several, skippable and empty ones', async (t) => {
  t.same((await read(PACKED)).lines, LINES);
  const many = [zstdFrame('a\nb'), skippable(Buffer.from('note')), PACKED, zstdFrame(''), zstdFrame('end')];
  const { lines } = await read(Buffer.concat(many));
  t.same(lines, ['a', `b${LINES[0]}`, ...LINES.slice(1), 'end']);
  t.same((await read(Buffer.concat(Array.from({ length: 5000 }, () => zstdFrame(''))))).lines, [], 'nothing, many times');
  t.same((await read(zstdFrame('x'.repeat(300_000), 100_000))).lines, ['x'.repeat(300_000)]);
});

t.test('every line is read exactly once, however frames lie and whichever begin a piece', async (t) => {
  const texts = [
    ['one\ntwo', 'o\nthree\n', 'four\n'],
    ['no end', ' in here', ' nor here', '\nlast'],
    ['a\n', '', '\n', 'b\r\n', 'c'],
    ['x\n', 'y\n', 'z\n'],
  ];
  for (const parts of texts) {
    const frames = parts.map((text) => zstdFrame(text));
    const file = Buffer.concat(frames);
    const expected = linesOf(parts.join(''));
    for (let mask = 0; mask < 1 << (parts.length - 1); mask++) {
      const seen: Read = { lines: [], offsets: [] };
      let from = 0;
      for (let to = 1; to <= parts.length; to++) {
        if (to < parts.length && (mask & (1 << (to - 1))) === 0) continue;
        const bytes = (n: number): number => Buffer.concat(frames.slice(0, n)).length;
        const unpackedOffset = parts.slice(0, from).join('').length;
        const one = await read(file, { offset: bytes(from), length: bytes(to) - bytes(from), unpackedOffset });
        seen.lines.push(...one.lines);
        seen.offsets.push(...one.offsets);
        from = to;
      }
      t.same(seen.lines, expected, `${JSON.stringify(parts)} cut as ${mask.toString(2)}`);
      for (const [i, at] of seen.offsets.entries()) t.equal(parts.join('').slice(at, at + expected[i]!.length), expected[i]);
    }
  }
});

t.test('frames are found without unpacking, from blocks or from a seek table', (t) => {
  const frames = [zstdFrame('abc\n'.repeat(1000)), PACKED, zstdFrame('')];
  const plain = Buffer.concat(frames);
  const sizes = [4000, LINES.join('\n').length + 1, 0];
  const expected = frames.map(({ length }, i) => ({
    offset: Buffer.concat(frames.slice(0, i)).length,
    bytes: length,
    content: sizes[i]!,
  }));
  t.same(places(plain), expected);
  const entries = Buffer.alloc(8 * frames.length + 9);
  for (const [i, { bytes, content }] of expected.entries()) {
    entries.writeUInt32LE(bytes, 8 * i);
    entries.writeUInt32LE(content, 8 * i + 4);
  }
  entries.writeUInt32LE(frames.length, 8 * frames.length);
  entries.writeUInt32LE(0x8f92eab1, 8 * frames.length + 5);
  const table = skippable(entries, 0x184d2a5e);
  const last = { offset: plain.length, bytes: table.length, content: 0 };
  t.same(places(Buffer.concat([plain, table])), [...expected, last]);
  const total = (list: readonly { readonly bytes: number }[]): number => list.reduce((sum, { bytes }) => sum + bytes, 0);
  const foreign = Buffer.concat([zstdFrame('more'), plain, table]);
  t.equal(total(places(foreign)), foreign.length, 'a table that does not fit is not believed');
  t.equal(total(places(plain.subarray(0, plain.length - 5))), plain.length - 5, 'what was cut off is somebody’s too');
  t.throws(() => places(Buffer.concat([plain, Buffer.from('rubbish at the end')])), { code: 'ERR_DAF_BAD_DATA' });
  t.end();
});

t.test('damage of any kind fails with its place', async (t) => {
  const fails = async (bytes: Buffer, code: string, message: RegExp, memory?: number): Promise<void> => {
    await t.rejects(read(bytes, {}, memory), { code, message }, String(message));
  };
  const bad = 'ERR_DAF_BAD_DATA';
  for (let bytes = 1; bytes < PACKED.length; bytes += 7) await fails(PACKED.subarray(0, bytes), bad, /within a frame/);
  await fails(Buffer.from('no zstd at all'), bad, /in\.zst at byte 0: no zstd frame begins here/);
  await fails(Buffer.concat([PACKED, Buffer.from('tail')]), bad, /within a frame/);
  await fails(Buffer.concat([PACKED, Buffer.from('longer tail')]), bad, new RegExp(`at byte ${PACKED.length}: no zstd frame`));
  // Any changed byte between the header and the checksum, which is the frame's last four bytes.
  for (let at = 10; at < PACKED.length; at += 5) {
    const damaged = Buffer.from(PACKED);
    damaged[at]! ^= 0x55;
    await t.rejects(read(damaged), { code: bad }, `byte ${at}`);
  }
  const dictionary = Buffer.from(PACKED);
  dictionary[4]! |= 1;
  await fails(dictionary, 'ERR_DAF_UNSUPPORTED', /needs a dictionary/);
  const large = Buffer.alloc(4 << 20, 'line\n');
  await fails(zstdFrame(large.toString(), 100_000), 'ERR_DAF_MEMORY_LIMIT', /unpacking takes 4194304 bytes/, 1 << 20);
});

const cli = spawnSync('zstd', ['--version']).error === undefined;
t.test('what the zstd program writes', { skip: !cli && 'there is no zstd program here' }, async (t) => {
  const text = sampleText(30_000, 5);
  for (const args of [['-1'], ['-19', '--check'], ['-16', '--no-check'], ['--fast=5'], ['-3', '--long=23']]) {
    const { stdout } = spawnSync('zstd', ['-q', '-c', ...args], { input: text, maxBuffer: 1 << 28 });
    t.same((await read(stdout)).lines, linesOf(text), args.join(' '));
  }
});

t.test('what a damaged or half-read file took is free again', async (t) => {
  const block = { type: 0, bytes: Buffer.from('a line\n'.repeat(10_000)), size: 70_000 } as const;
  const large = zstdStream([block, block]);
  large[5] = 104; // a window of 8 MB
  const damaged = Buffer.from(large);
  damaged[6 + 3 + block.size]! |= 4; // the second block as if it were packed
  const attempt = async (): Promise<void> => {
    await t.rejects(read(damaged), { code: 'ERR_DAF_BAD_DATA' });
    const cut = { length: 100_000, fileLength: 100_000 };
    await t.rejects(read(large, cut), { code: 'ERR_DAF_BAD_DATA' });
  };
  const zstd = await loadZstd();
  await attempt();
  const before = zstdMemory(zstd);
  for (let i = 0; i < 20; i++) await attempt();
  t.equal(zstdMemory(zstd), before);
});
