import { DafError } from '../../core/contracts/errors.js';

/** A picture of floats in [0, 1]: height × width × 3. */
export interface FloatPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Float32Array;
}

/**
 * Peak signal-to-noise ratio, dB: −10 log10 of the mean squared difference over pixels and channels; Infinity for equal pictures.
 * @param mask height × width; pixels where it is 0 do not count
 * @throws DafError ERR_DAF_BAD_ARGUMENT: different sizes, or no pixel counts
 */
export function psnr(a: FloatPicture, b: FloatPicture, mask?: Uint8Array): number {
  checkPair(a, b);
  let squares = 0;
  let count = 0;
  for (let i = 0; i < a.width * a.height; i++) {
    if (mask?.[i] === 0) continue;
    for (let c = i * 3; c < i * 3 + 3; c++) squares += (a.rgb[c]! - b.rgb[c]!) ** 2;
    count += 3;
  }
  if (count === 0) throw new DafError('ERR_DAF_BAD_ARGUMENT', 'the mask leaves no pixel to compare');
  return -10 * Math.log10(squares / count);
}

/** Half the window's side, without its middle. */
const REACH = 5;
const SIGMA = 1.5;
const C1 = 0.01 ** 2;
const C2 = 0.03 ** 2;

/**
 * Structural similarity as commonly published (Wang, Bovik, Sheikh, Simoncelli 2004, "Image Quality Assessment: From Error Visibility to
 * Structural Similarity"): windows of 11×11 weighted by a Gaussian of σ = 1.5, K1 = 0.01, K2 = 0.03, a range of 1; of each of R, G and B,
 * at every place where the window lies within the picture; then the mean over places and channels.
 * @param mask height × width; windows whose middle has 0 do not count
 * @throws DafError ERR_DAF_BAD_ARGUMENT: different sizes, smaller than the window, or no window counts
 */
export function ssim(a: FloatPicture, b: FloatPicture, mask?: Uint8Array): number {
  checkPair(a, b);
  const { width, height } = a;
  if (width <= 2 * REACH || height <= 2 * REACH) {
    throw new DafError('ERR_DAF_BAD_ARGUMENT', `SSIM needs pictures of 11×11 pixels at least, not ${width}×${height}`);
  }
  let sum = 0;
  let count = 0;
  for (let channel = 0; channel < 3; channel++) {
    const [x, y] = [plane(a, channel), plane(b, channel)];
    const blurred = [x, y, product(x, x), product(y, y), product(x, y)].map((values) => blur(values, width, height));
    const [mx, my, xx, yy, xy] = blurred as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
    for (let row = REACH; row < height - REACH; row++) {
      for (let i = row * width + REACH; i < (row + 1) * width - REACH; i++) {
        if (mask?.[i] === 0) continue;
        const [m, n] = [mx[i]!, my[i]!];
        const both = 2 * (xy[i]! - m * n) + C2;
        const each = xx[i]! - m * m + (yy[i]! - n * n) + C2;
        sum += ((2 * m * n + C1) * both) / ((m * m + n * n + C1) * each);
        count++;
      }
    }
  }
  if (count === 0) throw new DafError('ERR_DAF_BAD_ARGUMENT', 'the mask leaves no window to compare');
  return sum / count;
}

function checkPair(a: FloatPicture, b: FloatPicture): void {
  if (a.width !== b.width || a.height !== b.height || a.rgb.length !== b.rgb.length || a.rgb.length !== a.width * a.height * 3) {
    throw new DafError(
      'ERR_DAF_BAD_ARGUMENT',
      `pictures of ${a.width}×${a.height} and ${b.width}×${b.height} pixels do not compare`,
    );
  }
}

function plane({ rgb, width, height }: FloatPicture, channel: number): Float64Array {
  const out = new Float64Array(width * height);
  for (let i = 0; i < out.length; i++) out[i] = rgb[i * 3 + channel]!;
  return out;
}

function product(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value * b[i]!);
}

const WEIGHTS = gaussian();

function gaussian(): Float64Array {
  const weights = Float64Array.from({ length: 2 * REACH + 1 }, (_, i) => Math.exp(-((i - REACH) ** 2) / (2 * SIGMA * SIGMA)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The window's weighted mean at every place where it fits, along rows and then columns; elsewhere unspecified. */
function blur(values: Float64Array, width: number, height: number): Float64Array {
  return convolve(
    convolve(values, 1, REACH, width - REACH, 0, height, width),
    width,
    REACH,
    width - REACH,
    REACH,
    height - REACH,
    width,
  );
}

function convolve(
  values: Float64Array,
  stride: number,
  left: number,
  right: number,
  top: number,
  bottom: number,
  width: number,
): Float64Array {
  const out = new Float64Array(values.length);
  for (let y = top; y < bottom; y++) {
    for (let i = y * width + left; i < y * width + right; i++) {
      let sum = 0;
      for (let k = -REACH; k <= REACH; k++) sum += WEIGHTS[k + REACH]! * values[i + k * stride]!;
      out[i] = sum;
    }
  }
  return out;
}
