import { test } from 'tap';
import { type FloatPicture, psnr, ssim } from './metrics.js';

function picture(width: number, height: number, value: (x: number, y: number, c: number) => number): FloatPicture {
  const rgb = Float32Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return value(pixel % width, Math.floor(pixel / width), i % 3);
  });
  return { width, height, rgb };
}

const near = (a: number, b: number, tolerance: number): boolean => Math.abs(a - b) <= tolerance;

test('PSNR by hand', (t) => {
  const black = picture(4, 2, () => 0);
  t.equal(psnr(black, black), Number.POSITIVE_INFINITY);
  t.ok(
    near(
      psnr(
        black,
        picture(4, 2, () => 0.1),
      ),
      20,
      1e-5,
    ),
    'a tenth everywhere is 20 dB',
  );
  t.ok(
    near(
      psnr(
        black,
        picture(4, 2, () => 1),
      ),
      0,
      1e-9,
    ),
  );
  // One channel of one of eight pixels is off by 1: a mean square of 1/24.
  const one = picture(4, 2, (x, y, c) => (x === 3 && y === 1 && c === 2 ? 1 : 0));
  t.ok(near(psnr(black, one), 10 * Math.log10(24), 1e-9));
  const mask = Uint8Array.from({ length: 8 }, (_, i) => (i === 7 ? 0 : 255));
  t.equal(psnr(black, one, mask), Number.POSITIVE_INFINITY, 'masked pixels do not count');
  t.throws(() => psnr(black, one, new Uint8Array(8)), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.throws(
    () =>
      psnr(
        black,
        picture(2, 4, () => 0),
      ),
    { code: 'ERR_DAF_BAD_ARGUMENT' },
  );
  t.end();
});

test('SSIM of flat pictures is its luminance term alone', (t) => {
  const [a, b] = [0.2, 0.7];
  const expected = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4);
  t.ok(
    near(
      ssim(
        picture(16, 13, () => a),
        picture(16, 13, () => b),
      ),
      expected,
      1e-6,
    ),
  );
  t.end();
});

/** The definition word for word, at one place. */
function ssimAt(a: FloatPicture, b: FloatPicture, x: number, y: number, c: number): number {
  const samples: [number, number, number][] = [];
  for (let dy = -5; dy <= 5; dy++) {
    for (let dx = -5; dx <= 5; dx++) {
      const i = ((y + dy) * a.width + x + dx) * 3 + c;
      samples.push([Math.exp(-(dx * dx + dy * dy) / 4.5), a.rgb[i]!, b.rgb[i]!]);
    }
  }
  const total = samples.reduce((sum, [w]) => sum + w, 0);
  const mean = (f: (p: number, q: number) => number): number =>
    samples.reduce((sum, [w, p, q]) => sum + (w / total) * f(p, q), 0);
  const [mp, mq] = [mean((p) => p), mean((_, q) => q)];
  const [vp, vq] = [mean((p) => (p - mp) ** 2), mean((_, q) => (q - mq) ** 2)];
  const cov = mean((p, q) => (p - mp) * (q - mq));
  return ((2 * mp * mq + 1e-4) * (2 * cov + 9e-4)) / ((mp * mp + mq * mq + 1e-4) * (vp + vq + 9e-4));
}

test('SSIM follows its definition at every place and channel, and masks by the window’s middle', (t) => {
  const a = picture(15, 14, (x, y, c) => 0.5 + 0.4 * Math.sin(x * 1.3 + y * 0.7 + c));
  const b = picture(15, 14, (x, y, c) => 0.45 + 0.3 * Math.sin(x * 1.2 + y * 0.9 + 2 * c));
  const places: number[] = [];
  const masked: number[] = [];
  const mask = new Uint8Array(15 * 14).fill(1);
  for (let y = 5; y < 9; y++) {
    for (let x = 5; x < 10; x++) {
      const hidden = (x + y) % 3 === 0;
      if (hidden) mask[y * 15 + x] = 0;
      for (let c = 0; c < 3; c++) {
        places.push(ssimAt(a, b, x, y, c));
        if (!hidden) masked.push(places.at(-1)!);
      }
    }
  }
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  t.ok(near(ssim(a, b), mean(places), 1e-9));
  t.ok(near(ssim(a, b, mask), mean(masked), 1e-9));
  t.ok(near(ssim(a, a), 1, 1e-12));
  t.ok(near(ssim(a, b), ssim(b, a), 1e-12));
  t.end();
});

test('SSIM refuses pictures smaller than its window', (t) => {
  const small = picture(10, 20, () => 0);
  t.throws(() => ssim(small, small), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.end();
});
