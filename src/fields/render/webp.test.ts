import { test } from 'tap';
import { loadSharp } from '../../core/sharp.js';
import { depthPicture, encodePng, encodeWebp, normalPicture } from './pictures.js';
import { animateWebp } from './webp.js';

const width = 21;
const height = 14;

/** Noise over a gradient; a third of it transparent where `alpha`. */
function picture(seed: number, alpha: boolean): { width: number; height: number; rgba: Uint8Array } {
  const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
    if (i % 4 === 3) return alpha && (i >> 2) % 3 === 0 ? 0 : 255;
    return (Math.imul(i + seed * 7919, 2654435761) >>> 28) + (i % width) * 8;
  });
  return { width, height, rgba };
}

test('an animation holds its frames, whole and in order', async (t) => {
  const sharp = await loadSharp();
  for (const alpha of [false, true]) {
    const pictures = [1, 2, 3].map((seed) => picture(seed, alpha));
    const stills = await Promise.all(pictures.map((each) => encodeWebp(each, 'lossless')));
    const bytes = animateWebp(stills, { width, height }, 40, 2);
    const metadata = await sharp(bytes, { animated: true }).metadata();
    t.match(metadata, { format: 'webp', pages: 3, delay: [40, 40, 40], loop: 2, width, pageHeight: height });
    for (const [page, { rgba }] of pictures.entries()) {
      const decoded = await sharp(bytes, { page }).ensureAlpha().raw().toBuffer();
      t.ok(decoded.equals(rgba), `frame ${page} to the bit, alpha ${alpha}`);
    }
  }
});

test('lossy frames with alpha keep it, and differ little', async (t) => {
  const sharp = await loadSharp();
  const { rgba } = picture(5, true);
  const bytes = animateWebp([await encodeWebp(picture(5, true)), await encodeWebp(picture(5, false))], { width, height }, 10);
  const decoded = await sharp(bytes, { page: 0 }).ensureAlpha().raw().toBuffer();
  for (let i = 3; i < rgba.length; i += 4) t.equal(decoded[i], rgba[i]);
  t.equal((await sharp(bytes, { animated: true }).metadata()).pages, 2);
});

test('what is no still WebP is refused', async (t) => {
  const still = await encodeWebp(picture(1, true));
  const size = { width, height };
  const png = await encodePng(picture(1, true));
  const animation = animateWebp([still], size, 40);
  for (const wrong of [new Uint8Array(0), png, still.subarray(0, 40), animation]) {
    t.throws(() => animateWebp([still, wrong], size, 40), { code: 'ERR_DAF_BAD_DATA' });
  }
  t.throws(() => animateWebp([], size, 40), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.throws(() => animateWebp([still], size, 0), { code: 'ERR_DAF_BAD_ARGUMENT' });
});

test('depths become grey, normals colours', (t) => {
  const depth = depthPicture(Float32Array.of(2, 4, Number.POSITIVE_INFINITY), 3, 1);
  t.same([...depth.rgba], [255, 255, 255, 255, 32, 32, 32, 255, 0, 0, 0, 0]);
  const normal = normalPicture(Float32Array.of(1, 0, 0, 0, -1, 0, 0, 0, 0), 3, 1);
  t.same([...normal.rgba], [255, 128, 128, 255, 128, 0, 128, 255, 0, 0, 0, 0]);
  t.end();
});
