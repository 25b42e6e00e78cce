import sharp from 'sharp';
import tap from 'tap';
import { glyphPixel } from './font.js';
import { Picture } from './picture.js';
import { PngWriter } from './png_writer.js';

tap.test('a PNG written by rows decodes to the same pixels', async (t) => {
  const rgb = Uint8Array.from({ length: 37 * 25 * 3 }, (_, i) => (i * i * 31) % 256);
  const writer = new PngWriter(37, 25);
  await writer.rows(rgb.subarray(0, 37 * 3 * 10));
  await writer.rows(rgb.subarray(37 * 3 * 10));
  const png = await writer.end();
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  t.same([info.width, info.height, info.channels], [37, 25, 3]);
  t.ok(Buffer.from(rgb).equals(data));
});

tap.test('missing and surplus rows are refused', async (t) => {
  const writer = new PngWriter(2, 2);
  await t.rejects(writer.rows(new Uint8Array(5)), { code: 'ERR_DAF_INTERNAL' });
  await t.rejects(writer.rows(new Uint8Array(18)), { code: 'ERR_DAF_INTERNAL' });
  await t.rejects(writer.end(), { code: 'ERR_DAF_INTERNAL' });
});

tap.test('pictures are composited by their alpha and stay inside', async (t) => {
  const picture = new Picture(3, 1, [200, 200, 200]);
  picture.paste(1, 0, 2, 1, Uint8Array.of(0, 0, 0, 0, 100, 0, 255, 127), 4);
  t.same([...picture.rgb], [200, 200, 200, 200, 200, 200, 150, 100, 227]);
  t.throws(() => picture.paste(2, 0, 2, 1, new Uint8Array(6), 3), { code: 'ERR_DAF_INTERNAL' });
});

tap.test('labels: every letter differs, case and accents do not matter, the unknown is a box', async (t) => {
  const drawn = (char: string): string =>
    Array.from({ length: 35 }, (_, i) => (glyphPixel(char, i % 5, Math.floor(i / 5)) ? '#' : '.')).join('');
  const all = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,-+/%:()_=?!<>*#&|~';
  t.equal(new Set(Array.from(all, drawn)).size, all.length);
  t.equal(drawn('é'), drawn('E'));
  t.equal(drawn('漢'), drawn('\u{1F600}'));
  const picture = new Picture(100, 14, [255, 255, 255]);
  t.equal(picture.text(0, 0, 'a very long name that must be cut', [0, 0, 0]), 96);
});
