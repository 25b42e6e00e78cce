import { cameraPosition, pixelRays } from '../../fields/camera.js';
import type { FieldCamera } from '../../fields/types.js';
import { type Brick, brickModel } from './model.js';
import { enter, newTrace, type Trace } from './solid.js';

const SUN = unit([0.45, -0.35, 0.82]);
const SKY = 0.42;
const GLOSS = { share: 0.35, power: 40 };

/** Draws the bricks as they are: rays against closed forms, a sun with hard shadows, a sky, and a highlight that moves with the eye. */
export class BrickPainter {
  readonly #bricks: readonly Brick[];
  readonly #trace = newTrace();
  readonly #shadow = newTrace();
  readonly #color = new Float64Array(3);

  constructor(seed = 1) {
    this.#bricks = brickModel(seed);
  }

  /**
   * height × width × 4, sRGB bytes, straight alpha, transparent where nothing is.
   * @param grid rays along each side of a pixel.
   */
  draw(camera: FieldCamera, grid = 2): Uint8Array {
    const { width, height } = camera;
    const rgba = new Uint8Array(width * height * 4);
    this.#trace.origin.set(cameraPosition(camera));
    const places = new Float32Array(width * grid * grid * 2);
    for (let y = 0; y < height; y++) {
      for (let i = 0; i < width * grid * grid; i++) {
        places[2 * i] = Math.floor(i / grid ** 2) + ((i % grid) + 0.5) / grid;
        places[2 * i + 1] = y + (Math.floor((i % grid ** 2) / grid) + 0.5) / grid;
      }
      const rays = pixelRays(camera, places);
      for (let x = 0; x < width; x++) this.#pixel(rays, x * grid ** 2, grid ** 2, rgba, (y * width + x) * 4);
    }
    return rgba;
  }

  #pixel(rays: Float32Array, first: number, count: number, rgba: Uint8Array, at: number): void {
    let hits = 0;
    const sum = [0, 0, 0];
    for (let i = first; i < first + count; i++) {
      for (let a = 0; a < 3; a++) this.#trace.direction[a] = rays[3 * i + a]!;
      if (!this.#shade()) continue;
      hits += 1;
      for (let c = 0; c < 3; c++) sum[c]! += this.#color[c]!;
    }
    if (hits === 0) return;
    for (let c = 0; c < 3; c++) rgba[at + c] = Math.round((255 * sum[c]!) / hits);
    rgba[at + 3] = Math.round((255 * hits) / count);
  }

  /** The colour that the ray sees, sRGB in [0, 1]; false where it meets nothing. */
  #shade(): boolean {
    const { origin, direction, normal } = this.#trace;
    const brick = this.#meet(this.#trace, false);
    if (brick === null) return false;
    const place = [0, 1, 2].map((a) => origin[a]! + direction[a]! * this.#trace.distance);
    const towardsSun = normal[0]! * SUN[0]! + normal[1]! * SUN[1]! + normal[2]! * SUN[2]!;
    let sun = Math.max(0, towardsSun);
    if (sun > 0) {
      for (let a = 0; a < 3; a++) {
        this.#shadow.origin[a] = place[a]! + 1e-6 * normal[a]!;
        this.#shadow.direction[a] = SUN[a]!;
      }
      if (this.#meet(this.#shadow, true) !== null) sun = 0;
    }
    // Phong: the mirrored sun against the direction to the eye.
    const mirrored = [0, 1, 2].reduce((total, a) => total - direction[a]! * (2 * towardsSun * normal[a]! - SUN[a]!), 0);
    const gloss = sun > 0 ? GLOSS.share * Math.max(0, mirrored) ** GLOSS.power : 0;
    const light = SKY * (0.7 + 0.3 * normal[2]!) + 0.75 * sun;
    const striped =
      brick.stripes > 0 && Math.sin((brick.stripes * 2 * Math.PI * (place[2]! - brick.center[2])) / brick.radius) > 0.3;
    for (let c = 0; c < 3; c++)
      this.#color[c] = Math.min(1, (striped ? 0.95 - 0.7 * brick.color[c]! : brick.color[c]!) * light + gloss);
    return true;
  }

  /** The nearest brick on the ray, or just one when `any` is enough. */
  #meet(trace: Trace, any: boolean): Brick | null {
    const { origin: o, direction: d } = trace;
    trace.distance = Number.POSITIVE_INFINITY;
    let found: Brick | null = null;
    for (const brick of this.#bricks) {
      const { center, radius } = brick;
      const x = center[0] - o[0]!;
      const y = center[1] - o[1]!;
      const z = center[2] - o[2]!;
      const along = x * d[0]! + y * d[1]! + z * d[2]!;
      if (along < -radius || along - radius > trace.distance) continue;
      if (x * x + y * y + z * z - along * along > radius * radius) continue;
      for (const solid of brick.solids) if (enter(solid, trace)) found = brick;
      if (any && found !== null) return found;
    }
    return found;
  }
}

function unit(v: readonly number[]): readonly number[] {
  const length = Math.hypot(...v);
  return v.map((value) => value / length);
}
