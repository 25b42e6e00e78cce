import type { FieldHandle } from './nerf_field.js';

/** native/mesh on fields, as bindings/mesh.cpp exports it, in the same order. All but the last three throw ERR_DAF_CANCELLED. */
export interface MeshAddon {
  /** The surface where a field's density is `level`. Throws ERR_DAF_BAD_ARGUMENT, ERR_DAF_MEMORY_LIMIT saying how large it is. */
  surfaceExtract(field: FieldHandle, options: NativeSurfaceOptions, control: Int32Array | null): SurfaceHandle;
  surfaceSmooth(surface: SurfaceHandle, iterations: number, control: Int32Array | null): void;
  /** To at most `faces` triangles, where its shape allows it. Throws ERR_DAF_MEMORY_LIMIT. */
  surfaceSimplify(surface: SurfaceHandle, faces: number, control: Int32Array | null): void;
  /** Vertices onto the level where it lies within `reach` cells (0: none moves), normals from the gradient. */
  surfaceFit(surface: SurfaceHandle, field: FieldHandle, reach: number, control: Int32Array | null): void;
  /** Texture coordinates for `size` × `size` texels, charts `gutter` texels from one another's. Throws ERR_DAF_BAD_DATA. */
  surfaceUnwrap(surface: SurfaceHandle, size: number, gutter: number, control: Int32Array | null): void;
  /** rgb[size·size·3], the level looked for within `reach` cells of the surface. */
  surfaceBake(
    surface: SurfaceHandle,
    field: FieldHandle,
    size: number,
    reach: number,
    control: Int32Array | null,
    rgb: Uint8Array,
  ): void;
  surfaceInfo(surface: SurfaceHandle): NativeSurfaceInfo;
  /** Copies the surface: of the atlas's vertices once it is unwrapped, with no uvs before. */
  surfaceRead(
    surface: SurfaceHandle,
    positions: Float32Array,
    normals: Float32Array,
    uvs: Float32Array,
    triangles: Uint32Array,
  ): void;
  /**
   * Lines of `width` numbers, each begun with `prefix` and ended with a newline: the fewest digits that read back as the same float, as String() writes
   * them.
   */
  floatLines(prefix: string, values: Float32Array, width: number): string;
  /** Frees the native memory; the surface is empty from then on. */
  surfaceDispose(surface: SurfaceHandle): void;
}

declare const surfaceBrand: unique symbol;
/** A surface in native memory; it does not cross threads. */
export interface SurfaceHandle {
  readonly [surfaceBrand]: true;
}

export interface NativeSurfaceOptions {
  /** Cells along each axis of the box. */
  readonly resolution: number;
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** Density per unit of length; 0: where the light of an unbounded field’s pictures ends. */
  readonly level: number;
  /** See BandOptions in native/mesh/band_surface.h. */
  readonly guard: number;
  /** Of the largest component's triangles: components with fewer are dropped; 1: all but the largest. */
  readonly keepShare: number;
  /** To how many triangles a surface may be simplified at once where it does not fit whole; 0: it must come whole. */
  readonly faces: number;
  /** What no ray from outside reaches counts as inside. */
  readonly solid: boolean;
  /** Ask every point of the grid, for comparison. */
  readonly exhaustive: boolean;
}

export interface NativeSurfaceInfo {
  /** Density at which it lies. */
  readonly level: number;
  readonly vertices: number;
  readonly triangles: number;
  /** What was left of the surface before any simplification. */
  readonly surfaceTriangles: number;
  /** Before small ones were dropped. */
  readonly components: number;
  /** Field evaluations of all steps so far. */
  readonly queries: number;
  /** 0 before it is unwrapped. */
  readonly atlasVertices: number;
  readonly charts: number;
  /** Length on the surface that a texel covers where the surface lies flat in its chart. */
  readonly texel: number;
  /** The most that a length on the surface is shortened in the texture against that. */
  readonly stretch: number;
}
