import type { ControlWords, Vector3 } from '../types.js';

/** A rectangle of a picture's pixels, from its top left corner. */
export interface PixelWindow {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** In which inference multiplies: twice as fast, four times as fast. */
export type Precision = 'fp32' | 'bf16' | 'int8';

/** How a picture looks, whoever renders it. */
export interface RenderLook {
  /** sRGB in [0, 1] behind the field, `learned` for what was learnt with it, or null for a transparent picture (straight alpha). @defaultValue null */
  readonly background?: Vector3 | 'learned' | null;
  /** Samples of the marching lattice along the box's longest edge, 8–4096. @defaultValue 256, for hash grids as fine as that in a box that bounds the scene 512 */
  readonly samples?: number;
  /** That many equal strata of each ray instead of the lattice, 1–4096, or null. @defaultValue null */
  readonly samplesPerRay?: number | null;
  /**
   * Two looks along each ray, for fields with a coarse network: that one at `coarse` strata, then the field there and at `fine` more samples
   * where it found something, 1–1024 each. `true`: 64 and 128. Instead of the lattice and `samplesPerRay`. @defaultValue false
   */
  readonly importance?: boolean | { readonly coarse: number; readonly fine: number };
  /** Samples each stratum at a random point drawn from this seed, or null: in its middle. Only with `samplesPerRay` or `importance`. @defaultValue null */
  readonly stratifiedSeed?: number | null;
  /**
   * Depths along the viewing direction between which the field is seen, within its box. Where given, strata divide this stretch;
   * otherwise the ray's way through the box.
   * @defaultValue 0 and Infinity
   */
  readonly near?: number;
  readonly far?: number;
  /** Marching ends where less light than this gets through, 0–1. @defaultValue 0.001 */
  readonly minTransmittance?: number;
  /** Ignore the occupancy grid and early termination, and ask for every colour: slow, for comparison. @defaultValue false */
  readonly exhaustive?: boolean;
  /**
   * Of the networks' products; encodings and compositing stay fp32. `int8` runs in 8 bits where a layer bears it, in bf16 elsewhere; a hash
   * grid has none. Where the CPU lacks the instructions, fp32 takes over and a warning says so once.
   * @defaultValue 'fp32'
   */
  readonly precision?: Precision;
  /** Also return unclamped float colours. @defaultValue false */
  readonly floats?: boolean;
  /** Also return normals; costs four more densities for every sample that is seen. @defaultValue false */
  readonly normals?: boolean;
}

export interface RenderOptions extends RenderLook {
  /** Size in pixels; the camera is scaled to it. @defaultValue the camera's own */
  readonly width?: number;
  readonly height?: number;
  /** The part to render; the same pixels as of the whole picture, to the bit. @defaultValue all of it */
  readonly window?: PixelWindow;
  readonly control?: ControlWords | null;
}

export interface RenderStats {
  /** Rays that may meet something. */
  readonly rays: number;
  /** Densities evaluated. */
  readonly samples: number;
  /** Colours evaluated. */
  readonly colors: number;
  /** Computing time of the threads that rendered, summed. */
  readonly seconds: number;
  /** The part of it inside the field. */
  readonly fieldSeconds: number;
  /** The part that finding the samples took; the rest is compositing and writing. */
  readonly marchSeconds: number;
}

export interface RenderedImage {
  readonly width: number;
  readonly height: number;
  /** height × width × 4, sRGB, straight alpha. */
  readonly rgba: Uint8Array;
  /** height × width: mean depth along the viewing direction, Infinity where opacity is below 0.5. */
  readonly depth: Float32Array;
  /** height × width, in [0, 1]. */
  readonly opacity: Float32Array;
  /** height × width × 3, composited over the background (black where it is null); only with `floats`. */
  readonly color?: Float32Array;
  /** height × width × 3: unit vectors in field space against the density's gradient, zero where opacity is below 0.5; only with `normals`. */
  readonly normal?: Float32Array;
  readonly stats: RenderStats;
}
