/** PSNR in dB over the pixels that `use` says, from mean squared error over 8-bit channels; capped at 99. NaN for no pixel. */
export function psnr(
  a: { readonly pixels: Uint8Array; readonly channels: 3 | 4 },
  b: { readonly pixels: Uint8Array; readonly channels: 3 | 4 },
  use: (pixel: number) => boolean,
): number {
  const count = a.pixels.length / a.channels;
  let sum = 0;
  let used = 0;
  for (let i = 0; i < count; i++) {
    if (!use(i)) continue;
    used += 3;
    for (let c = 0; c < 3; c++) sum += (a.pixels[a.channels * i + c]! - b.pixels[b.channels * i + c]!) ** 2;
  }
  return used === 0 ? Number.NaN : Math.min(99, 10 * Math.log10((255 * 255 * used) / Math.max(sum, 1e-9)));
}

/** Overlap of two silhouettes given as straight-alpha RGBA: intersection over union at alpha ≥ 128. 1 when both are empty. */
export function silhouetteIou(a: Uint8Array, b: Uint8Array): number {
  let both = 0;
  let either = 0;
  for (let i = 3; i < a.length; i += 4) {
    const [inA, inB] = [a[i]! >= 128, b[i]! >= 128];
    if (inA && inB) both++;
    if (inA || inB) either++;
  }
  return either === 0 ? 1 : both / either;
}
