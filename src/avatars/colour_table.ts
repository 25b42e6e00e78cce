/** How often colours occur among some pixels of a picture. */
export interface ColourTable {
  /** Pixels it was made of. */
  readonly count: number;
  /** Natural logarithm of how many times likelier the colour of a pixel of the same picture is here than were all colours alike. */
  of(pixel: number): number;
}

const BINS = 16;
const CELLS = BINS ** 3;
/** Counted everywhere beside what was seen. */
const UNSEEN = 0.02;

/** @param rgb [pixels][3]. @param use which pixels to count. */
export function colourTable(rgb: Uint8Array, use: (pixel: number) => boolean): ColourTable {
  const cell = (pixel: number): number =>
    ((rgb[3 * pixel]! >> 4) * BINS + (rgb[3 * pixel + 1]! >> 4)) * BINS + (rgb[3 * pixel + 2]! >> 4);
  let seen = new Float32Array(CELLS);
  let count = 0;
  for (let pixel = 0; 3 * pixel < rgb.length; pixel++) {
    if (!use(pixel)) continue;
    seen[cell(pixel)]! += 1;
    count += 1;
  }
  for (const stride of [1, BINS, BINS * BINS]) seen = blurred(seen, stride);
  const total = count + UNSEEN * CELLS;
  return { count, of: (pixel) => Math.log(((seen[cell(pixel)]! + UNSEEN) / total) * CELLS) };
}

/** A quarter to each neighbour along one channel: few pixels stand for their like. */
function blurred(from: Float32Array, stride: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(from, (value, i) => {
    const at = Math.floor(i / stride) % BINS;
    const below = at > 0 ? from[i - stride]! : value;
    const above = at < BINS - 1 ? from[i + stride]! : value;
    return 0.5 * value + 0.25 * (below + above);
  });
}
