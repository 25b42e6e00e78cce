import type { FieldHandle, NativePrecision } from './nerf_field.js';

/** Rendering, as bindings/nerf_render.cpp exports it. */
export interface NerfRenderAddon {
  /** Fills the targets with the window's pixels. Throws ERR_DAF_BAD_ARGUMENT, ERR_DAF_CANCELLED, ERR_DAF_MEMORY_LIMIT. */
  fieldRender(
    field: FieldHandle,
    camera: Float32Array,
    look: NativeFieldLook,
    window: NativeWindow,
    control: Int32Array | null,
    targets: NativeRenderTargets,
  ): NativeRenderStats;
}

export interface NativeFieldLook {
  /** sRGB, or null for straight alpha. */
  readonly background: Float32Array | null;
  /** Instead of `background`, which is not null then: the network that was learnt with the field. */
  readonly learnedBackground: boolean;
  /** 0: what suits the model. */
  readonly samples: number;
  /** 0: the marching lattice of `samples`. */
  readonly samplesPerRay: number;
  /** Of each ray's first and second look; both 0: one look. */
  readonly coarseSamples: number;
  readonly fineSamples: number;
  readonly stratified: boolean;
  readonly seed: number;
  readonly near: number;
  readonly far: number;
  readonly minTransmittance: number;
  readonly exhaustive: boolean;
  readonly precision: NativePrecision;
}

/** A rectangle of the camera's pixels. */
export interface NativeWindow {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** rgba[h·w·4], color[h·w·3], depth[h·w], opacity[h·w], normal[h·w·3] of the window; null where not wanted. */
export interface NativeRenderTargets {
  readonly rgba: Uint8Array | null;
  readonly color: Float32Array | null;
  readonly depth: Float32Array | null;
  readonly opacity: Float32Array | null;
  readonly normal: Float32Array | null;
}

export interface NativeRenderStats {
  readonly rays: number;
  readonly samples: number;
  readonly colors: number;
  /** Of this thread's computing; of it, inside the field, and in finding samples. */
  readonly seconds: number;
  readonly fieldSeconds: number;
  readonly marchSeconds: number;
}
