import { abortable, breathe } from '../abortable.js';
import { projectPoints } from '../camera.js';
import type { FieldBox, FieldCamera, Vector3 } from '../types.js';
import type { SceneFrame } from './types.js';

/** Views that are looked at. */
const VIEWS = 24;
/** Cells along each axis; the second round divides what the first has left. */
const CELLS = 40;
/** Blocks along a picture's longer side: finer, mattes would cost memory for nothing. */
const BLOCKS = 256;
/** Of a side, added on each end. */
const MARGIN = 0.02;
/** Alpha, of 255, up to which a pixel is empty. */
const EMPTY = 2;
/** Of the views that are looked at, those that must show a place for it to count: what hardly any view shows cannot be judged. */
const SHOWN = 1 / 3;
/** Fewer views leave too much possible. */
const FEWEST = 8;
/** Of the views, those that may cut the thing off at the picture's edge: with more of them mattes do not show where it ends. */
const CUT_OFF = 1 / 4;

/**
 * The box around what the mattes leave possible: places that no view shows through transparent pixels (the visual hull).
 * @param start where to look: about what most views show; the box may come out larger or smaller.
 * @returns null where the mattes leave nothing, are too few, or often cut the thing off.
 * @throws DafError ERR_DAF_CANCELLED
 */
export async function boxFromMattes(
  training: readonly SceneFrame[],
  start: FieldBox,
  signal?: AbortSignal,
): Promise<FieldBox | null> {
  if (training.length < FEWEST) return null;
  const count = Math.min(VIEWS, training.length);
  const views: MatteView[] = [];
  for (let i = 0; i < count; i++) {
    const frame = training[Math.floor((i * training.length) / count)]!;
    const { rgba } = await abortable(signal, () => frame.image());
    views.push(new MatteView(frame.camera, rgba));
  }
  if (views.filter((view) => view.cutsOff).length > CUT_OFF * views.length) return null;
  const wide = await hull(views, scaled(start, 2), signal);
  return wide === null ? null : ((await hull(views, wide, signal)) ?? wide);
}

async function hull(views: readonly MatteView[], box: FieldBox, signal: AbortSignal | undefined): Promise<FieldBox | null> {
  const size = box.min.map((low, axis) => (box.max[axis]! - low) / CELLS);
  const centers = new Float32Array(CELLS ** 3 * 3);
  for (let i = 0; i < CELLS ** 3; i++) {
    const cell = [i % CELLS, Math.floor(i / CELLS) % CELLS, Math.floor(i / CELLS ** 2)];
    for (let axis = 0; axis < 3; axis++) centers[i * 3 + axis] = box.min[axis]! + (cell[axis]! + 0.5) * size[axis]!;
  }
  const shown = new Uint8Array(CELLS ** 3);
  const empty = new Uint8Array(CELLS ** 3);
  for (const view of views) {
    await breathe(signal);
    view.judge(centers, Math.hypot(...size) / 2, shown, empty);
  }
  const possible = shown.map((count, i) => (empty[i] === 0 && count >= SHOWN * views.length ? count : 0));
  const piece = mostShownPiece(possible);
  if (piece.length === 0) return null;
  const [min, max]: [number[], number[]] = [[], []];
  for (let axis = 0; axis < 3; axis++) {
    const places = piece.map((i) => centers[i * 3 + axis]!);
    min.push(places.reduce((a, b) => Math.min(a, b)) - size[axis]! / 2);
    max.push(places.reduce((a, b) => Math.max(a, b)) + size[axis]! / 2);
  }
  return scaled({ min: vector(min), max: vector(max) }, 1 + 2 * MARGIN);
}

/**
 * The connected cells that most views show, all together. Close to a camera that looks at the thing the mattes leave other cells possible,
 * which no other view shows.
 * @param shown by how many views; 0 for what is not possible. Used up.
 */
function mostShownPiece(shown: Uint8Array): number[] {
  let best: number[] = [];
  let most = 0;
  for (let first = 0; first < shown.length; first++) {
    if (shown[first] === 0) continue;
    const piece = [first];
    let sum = shown[first]!;
    shown[first] = 0;
    for (let next = 0; next < piece.length; next++) {
      for (const neighbour of neighbours(piece[next]!)) {
        if (shown[neighbour]! === 0) continue;
        sum += shown[neighbour]!;
        shown[neighbour] = 0;
        piece.push(neighbour);
      }
    }
    if (sum > most) [best, most] = [piece, sum];
  }
  return best;
}

function neighbours(cell: number): number[] {
  return [1, CELLS, CELLS ** 2].flatMap((stride) => {
    const place = Math.floor(cell / stride) % CELLS;
    return [...(place > 0 ? [cell - stride] : []), ...(place < CELLS - 1 ? [cell + stride] : [])];
  });
}

/** A matte in blocks of pixels, summed up so that any rectangle of them can be asked for at once. */
class MatteView {
  /** Whether some pixel on the picture's edge is not empty. */
  readonly cutsOff: boolean;
  readonly #camera: FieldCamera;
  /** Pixels along a block's side. */
  readonly #block: number;
  /** Blocks along a row, and one more. */
  readonly #stride: number;
  /** How many blocks above and to the left are not empty. */
  readonly #sums: Uint32Array;

  constructor(camera: FieldCamera, rgba: Uint8Array) {
    const { width, height } = camera;
    this.#camera = camera;
    this.#block = Math.ceil(Math.max(width, height) / BLOCKS);
    this.#stride = Math.ceil(width / this.#block) + 1;
    this.#sums = new Uint32Array(this.#stride * (Math.ceil(height / this.#block) + 1));
    let cutsOff = false;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (rgba[(y * width + x) * 4 + 3]! <= EMPTY) continue;
        cutsOff ||= x === 0 || y === 0 || x === width - 1 || y === height - 1;
        this.#sums[(Math.floor(y / this.#block) + 1) * this.#stride + Math.floor(x / this.#block) + 1] = 1;
      }
    }
    this.cutsOff = cutsOff;
    for (let i = this.#stride + 1; i < this.#sums.length; i++) {
      if (i % this.#stride === 0) continue;
      this.#sums[i]! += this.#sums[i - 1]! + this.#sums[i - this.#stride]! - this.#sums[i - this.#stride - 1]!;
    }
  }

  /** Counts in `shown` the balls that lie wholly in the picture, in `empty` those of them that no opaque pixel covers. */
  judge(centers: Float32Array, radius: number, shown: Uint8Array, empty: Uint8Array): void {
    const { width, height, focal } = this.#camera;
    const { pixels, depths } = projectPoints(this.#camera, centers);
    const [fx, fy] = typeof focal === 'number' ? [focal, focal] : focal;
    for (let i = 0; i < depths.length; i++) {
      if (!(depths[i]! > 2 * radius)) continue;
      // A little more than the ball's outline, for what lenses and slanted views add.
      const reach = (1.2 * radius) / (depths[i]! - radius);
      const [left, right] = [pixels[2 * i]! - reach * fx, pixels[2 * i]! + reach * fx];
      const [top, bottom] = [pixels[2 * i + 1]! - reach * fy, pixels[2 * i + 1]! + reach * fy];
      if (!(left >= 0 && top >= 0 && right <= width && bottom <= height)) continue;
      shown[i]! += 1;
      if (this.#count(left, top, right, bottom) === 0) empty[i]! += 1;
    }
  }

  /** Blocks that are not empty, of those that the rectangle of pixels touches. */
  #count(left: number, top: number, right: number, bottom: number): number {
    const [x0, y0] = [Math.floor(left / this.#block), Math.floor(top / this.#block)];
    const [x1, y1] = [Math.ceil(right / this.#block), Math.ceil(bottom / this.#block)];
    const sum = (x: number, y: number): number => this.#sums[y * this.#stride + x]!;
    return sum(x1, y1) - sum(x0, y1) - sum(x1, y0) + sum(x0, y0);
  }
}

function scaled({ min, max }: FieldBox, factor: number): FieldBox {
  const end = (sign: number): Vector3 =>
    vector(min.map((low, axis) => (low + max[axis]!) / 2 + (sign * factor * (max[axis]! - low)) / 2));
  return { min: end(-1), max: end(1) };
}

function vector(values: readonly number[]): Vector3 {
  return [values[0]!, values[1]!, values[2]!];
}
