import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import tap from 'tap';
import type { Pixels } from '../types.js';
import { decodeCost, decodeRegion, decodeScaled, readHeader } from './decode.js';
import { decodePng, encodePng } from './encode.js';
import { storedBox, upright } from './orient.js';
import { openPhoto } from './source.js';

const WIDTH = 120;
const HEIGHT = 80;

/** Smooth, and different in every corner and channel, so that any turn, swap or shift shows. */
function gradient(): Buffer {
  const data = Buffer.alloc(3 * WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; ++y) {
    for (let x = 0; x < WIDTH; ++x) data.set([40 + 1.5 * x, 30 + 2 * y, 200 - x - y / 2], 3 * (y * WIDTH + x));
  }
  return data;
}
const source = () => sharp(gradient(), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });

async function decode(bytes: Uint8Array, maxSide = 4096): Promise<Pixels> {
  return decodeScaled(bytes, await readHeader(bytes), maxSide);
}

/** Mean absolute difference of two pictures, of 255. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; ++i) sum += Math.abs(a[i]! - b[i]!);
  return a.length === b.length ? sum / a.length : Infinity;
}

tap.test('every kind of photo becomes 8-bit RGB', async (t) => {
  const kinds: Record<string, [Promise<Buffer>, number]> = {
    jpeg: [source().jpeg({ quality: 95 }).toBuffer(), 2],
    'progressive jpeg': [source().jpeg({ quality: 95, progressive: true }).toBuffer(), 2],
    png: [source().png().toBuffer(), 0],
    'interlaced png': [source().png({ progressive: true }).toBuffer(), 0],
    '16-bit png': [source().toColourspace('rgb16').png().toBuffer(), 1],
    webp: [source().webp({ lossless: true }).toBuffer(), 0],
    tiff: [source().tiff({ compression: 'lzw' }).toBuffer(), 0],
    avif: [source().avif({ quality: 80 }).toBuffer(), 4],
    gif: [source().gif().toBuffer(), 8],
    // Printed colours hold fewer than a screen's: the way there and back costs this much.
    cmyk: [source().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer(), 12],
    'display p3': [source().withIccProfile('p3').jpeg({ quality: 95 }).toBuffer(), 3],
  };
  for (const [name, [bytes, tolerance]] of Object.entries(kinds)) {
    const pixels = await decode(await bytes);
    t.same([pixels.width, pixels.height, pixels.channels], [WIDTH, HEIGHT, 3], name);
    const off = difference(pixels.data, gradient());
    t.ok(off <= tolerance, `${name} is off by ${off.toFixed(2)}`);
  }
});

tap.test('grey, alpha and animation', async (t) => {
  for (const grey of [
    source().greyscale().png(),
    source().greyscale().toColourspace('grey16').png(),
    source().greyscale().jpeg(),
  ]) {
    const { data } = await decode(await grey.toBuffer());
    t.equal(data.length, 3 * WIDTH * HEIGHT);
    t.ok(data.every((value, i) => value === data[i - (i % 3)]));
  }
  const half = await decode(await source().ensureAlpha(0).png().toBuffer());
  t.ok(
    half.data.every((value) => value === 255),
    'white below alpha',
  );
  const frames = await Promise.all(
    ['#c02020', '#20c020'].map((background) =>
      sharp({ create: { width: 20, height: 10, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  const animated = await sharp(frames, { join: { animated: true } })
    .webp({ lossless: true })
    .toBuffer();
  t.equal((await sharp(animated).metadata()).pages, 2);
  const first = await decode(animated);
  t.same([first.width, first.height, ...first.data.subarray(0, 3)], [20, 10, 0xc0, 0x20, 0x20], 'the first frame');
});

tap.test('EXIF orientation: all eight stand upright, whole and in part', async (t) => {
  const straight = { width: WIDTH, height: HEIGHT, channels: 3, data: new Uint8Array(gradient()) } as const;
  const region = { x: 10, y: 30, width: 40, height: 20 };
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8] as const) {
    const bytes = await source().png().withMetadata({ orientation }).toBuffer();
    const header = await readHeader(bytes);
    // sharp's own way of standing a picture up, independent of ours.
    const expected = await sharp(bytes).autoOrient().raw().toBuffer({ resolveWithObject: true });
    const pixels = await decodeScaled(bytes, header, 4096);
    t.same([header.width, header.height], [expected.info.width, expected.info.height]);
    t.same(Buffer.from(pixels.data), expected.data, `orientation ${orientation}`);
    t.same(pixels.data, upright(straight, orientation).data);
    const part = await decodeRegion(bytes, header, region, 40, 20);
    const cut = await sharp(expected.data, { raw: expected.info as { width: number; height: number; channels: 3 } })
      .extract({ left: region.x, top: region.y, width: region.width, height: region.height })
      .raw()
      .toBuffer();
    t.same(Buffer.from(part.data), cut, `part of orientation ${orientation}`);
    const small = await decodeScaled(bytes, header, 60);
    t.equal(Math.max(small.width, small.height), 60);
    t.same(storedBox({ x: 0, y: 0, width: header.width, height: header.height }, orientation, WIDTH, HEIGHT), {
      x: 0,
      y: 0,
      width: WIDTH,
      height: HEIGHT,
    });
  }
});

tap.test('a large photo is shrunk while it loads, and never enlarged', async (t) => {
  const big = await source().resize(4000, 2000, { fit: 'fill' }).jpeg().toBuffer();
  const pixels = await decode(big, 500);
  t.same([pixels.width, pixels.height], [500, 250]);
  const expected = await source().resize(500, 250, { fit: 'fill' }).raw().toBuffer();
  t.ok(difference(pixels.data, expected) < 3);
  t.same((await decode(await source().png().toBuffer(), 5000)).width, WIDTH);
});

tap.test('damaged files and files of other kinds are refused', async (t) => {
  for (const whole of [
    source().jpeg(),
    source().jpeg({ progressive: true }),
    source().png(),
    source().webp({ lossless: true }),
    source().tiff(),
    source().gif(),
    source().avif(),
  ]) {
    const bytes = await whole.toBuffer();
    for (const share of [0.1, 0.5, 0.9]) {
      await t.rejects(decode(bytes.subarray(0, Math.floor(share * bytes.length))), { code: 'ERR_DAF_BAD_IMAGE' });
    }
  }
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
  for (const text of ['hello', '\x89PNG\r\n\x1a\n', 'GIF89a', '%PDF-1.4', svg]) {
    await t.rejects(decode(Buffer.from(text)), { code: 'ERR_DAF_BAD_IMAGE' }, text.slice(0, 8));
  }
  const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
  await t.rejects(decode(heic), { code: 'ERR_DAF_BAD_IMAGE', hint: /HEIC/ });
  const trailing = Buffer.concat([await source().jpeg().toBuffer(), Buffer.alloc(1000)]);
  t.equal((await decode(trailing)).width, WIDTH, 'bytes after the end do no harm');
});

tap.test('a decompression bomb is refused from its header', async (t) => {
  const bomb = pngOfZeros(30_000, 30_000);
  t.ok(bomb.length < 700_000, `${bomb.length} bytes`);
  const before = process.memoryUsage().rss;
  const start = performance.now();
  await t.rejects(readHeader(bomb), { code: 'ERR_DAF_IMAGE_TOO_LARGE', message: /30000×30000/, hint: /--memory/ });
  t.ok(performance.now() - start < 500);
  t.ok(process.memoryUsage().rss - before < 50e6);
});

tap.test('the limit follows the memory allowed', async (t) => {
  const progressive = await source().resize(2000, 1000, { fit: 'fill' }).jpeg({ progressive: true }).toBuffer();
  await t.rejects(readHeader(progressive, 4 << 20), { code: 'ERR_DAF_IMAGE_TOO_LARGE' });
  t.equal((await readHeader(progressive, 8 << 20)).width, 2000);
  const baseline = await source().resize(2000, 1000, { fit: 'fill' }).jpeg().toBuffer();
  t.equal((await readHeader(baseline, 4 << 20)).width, 2000, 'rows are enough for this one');
  const size = { width: 8000, height: 6000 };
  t.ok(
    decodeCost({ format: 'jpeg', ...size }) <
      decodeCost({ format: 'jpeg', ...size, isProgressive: true, chromaSubsampling: '4:2:0' }),
  );
  t.ok(decodeCost({ format: 'png', ...size, channels: 3, depth: 'ushort', isProgressive: true }) === 48e6 * 6);
});

tap.test('files: hash, names, permissions', async (t) => {
  const bytes = await source().png().toBuffer();
  const dir = t.testdir({ empty: '', folder: {} });
  const names = ['a\nb.png', 'ü 李.png', 'x[shrink=2].png', 'y.png[page=3]'].map((name) => Buffer.from(join(dir, name)));
  names.push(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff, 0xfe, 0x2e])]));
  const hashes = new Set<string>();
  for (const name of names) {
    writeFileSync(name, bytes);
    await using photo = await openPhoto({ path: name });
    hashes.add(photo.contentHash);
    t.equal((await readHeader(photo.input)).width, WIDTH, JSON.stringify(name.toString()));
  }
  await using memory = await openPhoto({ bytes });
  hashes.add(memory.contentHash);
  t.equal(hashes.size, 1);
  await t.rejects(openPhoto({ path: join(dir, 'empty') }), { code: 'ERR_DAF_BAD_IMAGE' });
  await t.rejects(openPhoto({ bytes: new Uint8Array(0) }), { code: 'ERR_DAF_BAD_IMAGE' });
  await t.rejects(openPhoto({ path: join(dir, 'folder') }), { code: 'ERR_DAF_BAD_IMAGE' });
  await t.rejects(openPhoto({ path: join(dir, 'none') }), { code: 'ERR_DAF_NOT_FOUND' });
  const shut = names[0]!;
  chmodSync(shut, 0);
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid!('nobody');
  await t.rejects(openPhoto({ path: shut }), { code: 'ERR_DAF_PERMISSION' }).finally(() => root && process.seteuid!(0));
});

tap.test('crops come back from PNG bit by bit, colour below alpha included', async (t) => {
  const pixels = { width: WIDTH, height: HEIGHT, channels: 3, data: new Uint8Array(gradient()) } as const;
  const alpha = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => i % 256);
  const plain = await encodePng(pixels);
  t.same(await decodePng(plain), { pixels, alpha: null });
  t.same(await encodePng(pixels), plain);
  t.same(await decodePng(await encodePng(pixels, alpha)), { pixels, alpha });
  await t.rejects(decodePng(plain.subarray(0, 100)), { code: 'ERR_DAF_BAD_DATA' });
  await t.rejects(encodePng(pixels, alpha.subarray(1)), { code: 'ERR_DAF_BAD_ARGUMENT' });
});

/** A grey PNG of zeros, written by hand so that no encoder has to hold it. */
function pngOfZeros(width: number, height: number): Buffer {
  const chunk = (type: string, body: Buffer): Buffer => {
    const out = Buffer.alloc(12 + body.length);
    out.writeUInt32BE(body.length, 0);
    out.write(type, 4, 'latin1');
    body.copy(out, 8);
    out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  // 600 kB of deflated zeros, as in the wild; a header is all that may be looked at.
  const rows = deflateSync(Buffer.alloc(64 << 20), { level: 9 });
  const data = Buffer.concat(Array.from({ length: 9 }, () => rows));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; ++k) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
