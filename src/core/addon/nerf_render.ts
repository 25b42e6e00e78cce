import type { FieldHandle } from './nerf_field.js';

/** Rendering, as bindings/nerf_render.cpp exports it. */
export interface NerfRenderAddon {
  /** rgba[h·w·4], depth[h·w], opacity[h·w], color[h·w·3]; returns the samples evaluated. Throws ERR_DAF_CANCELLED. */
  fieldRender(
    field: FieldHandle,
    camera: Float32Array,
    look: NativeFieldLook,
    control: Int32Array | null,
    rgba: Uint8Array,
    depth: Float32Array,
    opacity: Float32Array,
    color: Float32Array | null,
  ): number;
}

export interface NativeFieldLook {
  /** sRGB, or null for straight alpha. */
  readonly background: Float32Array | null;
  readonly samples: number;
  readonly minTransmittance: number;
  readonly exhaustive: boolean;
}
