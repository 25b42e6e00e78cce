import { gzipSync } from 'node:zlib';
import t from 'tap';
import { type Lines, readPacked } from '../../../testing/packed-file.js';
import { seekTable, zstdFrame, zstdStream } from '../../../testing/zstd-frame.js';

const MB = 2 ** 20;
const readZstd = (file: Buffer, step = 1, memory = 8 * MB): Promise<Lines> =>
  readPacked(file, { compression: 'zstd', step, memory });
const readGzip = (file: Buffer, memory = 8 * MB): Promise<Lines> => readPacked(file, { compression: 'gzip', step: 1, memory });

const stored = (text: string): { type: 0; bytes: Buffer; size: number } => ({
  type: 0,
  bytes: Buffer.from(text, 'latin1'),
  size: text.length,
});
const repeated = (byte: string, size: number): { type: 1; bytes: Buffer; size: number } => ({
  type: 1,
  bytes: Buffer.from(byte),
  size,
});

t.test('a seek table that says where frames begin is believed no further than that', async (t) => {
  const frames = [zstdFrame('one\ntwo\n'), zstdFrame('three\n'), zstdFrame('four')];
  const sizes = ['one\ntwo\n', 'three\n', 'four'].map(({ length }) => length);
  const lines = ['one', 'two', 'three', 'four'];
  const lengths = frames.map(({ length }) => length);
  const file = (entries: readonly (readonly [number, number])[], count?: number): Buffer =>
    Buffer.concat([...frames, seekTable(entries, count)]);
  const honest = lengths.map((bytes, i) => [bytes, sizes[i]!] as const);
  t.same(await readZstd(file(honest)), { lines, offsets: [0, 4, 8, 14] });
  const [a, b, c] = lengths as [number, number, number];
  for (const [what, entries] of Object.entries({
    'borders moved by a byte': [
      [a + 1, 8],
      [b - 1, 6],
      [c, 4],
    ],
    'sizes that frames deny': [
      [a, 9],
      [b, 5],
      [c, 4],
    ],
    'frames of no bytes': [[0, 0], ...honest],
    'one frame instead of three, and two of nothing': [
      [a + b + c, 18],
      [0, 0],
    ],
    'the end beyond the table': [
      [a, 8],
      [b, 6],
      [4_000_000_000, 4],
    ],
    'too few': honest.slice(0, 2),
  } as Record<string, (readonly [number, number])[]>)) {
    t.same(await readZstd(file(entries)), { lines, offsets: [0, 4, 8, 14] }, what);
  }
  for (const count of [0, 2, 4, 0xffffffff]) t.same((await readZstd(file(honest, count))).lines, lines, `${count} entries`);
});

t.test('a table whose frames begin within others, or unpack to something else, fails its task', async (t) => {
  // A frame within a stored block of another: where the table says that one begins, one does.
  const inner = zstdStream([stored('false\n')]);
  const outer = zstdStream([stored(`true\n${inner.toString('latin1')}\nmore\n`)]);
  const at = outer.indexOf(inner);
  const lies = seekTable([
    [at, 5],
    [outer.length - at, 11],
  ]);
  const border = { code: 'ERR_DAF_BAD_DATA', message: new RegExp(`no frame ends at byte ${at}, where one was said to`) };
  await t.rejects(readZstd(Buffer.concat([outer, lies])), border);
  t.same((await readZstd(outer)).lines[0], 'true', 'without the table it is a file like any other');
  // Streams do not say how much they unpack to: then only who unpacks can tell.
  const frames = [zstdStream([stored('a\nb\n')]), zstdStream([stored('c\n')])];
  const [first, second] = frames.map(({ length }) => length) as [number, number];
  const told = (content: number): Buffer =>
    Buffer.concat([
      ...frames,
      seekTable([
        [first, content],
        [second, 2],
      ]),
    ]);
  t.same(await readZstd(told(4)), { lines: ['a', 'b', 'c'], offsets: [0, 2, 4] });
  for (const content of [0, 3, 5, 0xffffffff]) {
    const message = new RegExp(`unpack to 4 bytes, and were said to have ${content}: its seek table lies`);
    await t.rejects(readZstd(told(content)), { code: 'ERR_DAF_BAD_DATA', message });
  }
});

t.test('a checksum that is not that of the bytes fails its task', async (t) => {
  // `zstd --check` of "checked\n".
  const checked = Buffer.from('KLUv/QRYQQAAY2hlY2tlZApwP0Ow', 'base64');
  t.same((await readZstd(checked)).lines, ['checked']);
  for (const back of [4, 3, 2, 1]) {
    const damaged = Buffer.from(checked);
    damaged[damaged.length - back]! ^= 1;
    await t.rejects(readZstd(damaged), { code: 'ERR_DAF_BAD_DATA' });
  }
  const packed = gzipSync('checked\n');
  for (const back of [8, 4]) {
    const damaged = Buffer.from(packed);
    damaged[damaged.length - back]! ^= 1; // its CRC-32, its length
    await t.rejects(readGzip(damaged), { code: 'ERR_DAF_BAD_DATA' });
  }
});

t.test('what unpacks to far more than there is memory is read in pieces, or refused by its longest line', async (t) => {
  const blocks = (line: string): Buffer =>
    zstdStream(Array.from({ length: 4096 }, () => [stored(line), repeated('x', 128 << 10)]).flat());
  const bomb = blocks('x'); // 512 MB in one line
  t.ok(bomb.length < 64 << 10);
  await t.rejects(readZstd(bomb, 1 << 20), { code: 'ERR_DAF_MEMORY_LIMIT', message: /the line at byte 0/ });
  const zeros = gzipSync(Buffer.alloc(64 * MB));
  await t.rejects(readGzip(zeros), { code: 'ERR_DAF_MEMORY_LIMIT' });
  const before = process.memoryUsage().rss;
  const { lines } = await readZstd(
    zstdStream(Array.from({ length: 256 }, () => [stored('\n'), repeated('x', 128 << 10)]).flat()),
    1 << 20,
  );
  t.equal(lines.length, 257, '32 MB of lines');
  t.ok(process.memoryUsage().rss - before < 160 * MB);
});

t.test('cut off anywhere, with or without a table', async (t) => {
  const frames = [zstdFrame('one\ntwo\n'), zstdStream([stored('three\n'), repeated('y', 300)])];
  const table = seekTable(frames.map(({ length }, i) => [length, [8, 306][i]!] as const));
  const file = Buffer.concat([...frames, table]);
  for (let bytes = 1; bytes < file.length; bytes++) {
    const cut = file.subarray(0, bytes);
    // Between frames nothing is missing that anybody could know of.
    if (bytes === frames[0]!.length || bytes === frames[0]!.length + frames[1]!.length) await t.resolves(readZstd(cut));
    else await t.rejects(readZstd(cut), { code: 'ERR_DAF_BAD_DATA' }, `${bytes} bytes`);
  }
});
