/** native/head, as bindings/head.cpp exports it, in the same order. */
export interface HeadAddon {
  /** A head model: the embedded one (null; built once a process in under a second) or a head.safetensors. Throws ERR_DAF_IO, ERR_DAF_BAD_DATA. */
  headLoad(path: string | null): HeadHandle;
  /** Writes a head.safetensors. Throws ERR_DAF_IO. */
  headSave(head: HeadHandle, path: string): void;
  /** Names, counts, parts and landmarks. */
  headInfo(head: HeadHandle): HeadInfo;
  /** Copies the topology: source[vertexCount], uv[vertexCount·2], triangles[triangleCount·3], mirror[positionCount]. */
  headTopology(head: HeadHandle, source: Uint32Array, uv: Float32Array, triangles: Uint32Array, mirror: Uint32Array): void;
  /** Copies one mode: out[positionCount·3] cm per unit of its coefficient. */
  headMode(head: HeadHandle, kind: 'identity' | 'expression', index: number, out: Float32Array): void;
  /** out[positionCount·3] cm = mean + identity·alpha + expression·beta; shorter vectors mean zeros. */
  headShape(head: HeadHandle, alpha: Float32Array, beta: Float32Array, out: Float32Array): void;
  /** Area-weighted unit normals of a mesh's positions. */
  meshNormals(mesh: MeshArrays, out: Float32Array): void;
  /** rgba[height·width·4] straight alpha, sRGB; depth[height·width] cm along the view, +Infinity outside. */
  renderMesh(
    mesh: MeshArrays,
    camera: CameraValues,
    look: MeshLook,
    control: Int32Array | null,
    rgba: Uint8Array,
    depth: Float32Array | null,
  ): void;
  /** mask[height·width]: share of each pixel that the mesh covers, 0…255. */
  renderMeshMask(mesh: MeshArrays, camera: CameraValues, control: Int32Array | null, mask: Uint8Array): void;
  /**
   * planes[3][rows][columns] := (value − mean) · factor of what a turned box shows of pixels[height][width][3], see native/head/raster/warp.h. The box's
   * up direction points clockwise from the picture's by the angle whose cosine and sine are given; a negative width is a mirror.
   */
  warpToPlanes(
    pixels: Uint8Array,
    width: number,
    height: number,
    box: Readonly<Record<'centerX' | 'centerY' | 'width' | 'height' | 'cosine' | 'sine', number>>,
    columns: number,
    rows: number,
    norm: { readonly order: 'rgb' | 'bgr'; readonly mean: number; readonly factor: number; readonly outside: number },
    planes: Float32Array,
  ): void;
}

declare const headBrand: unique symbol;
/** A head model in native memory; freed when nothing refers to it. It does not cross threads: load it in each. */
export interface HeadHandle {
  readonly [headBrand]: true;
}

export interface HeadInfo {
  readonly name: string;
  /** Positions: what shapes move. */
  readonly positionCount: number;
  /** Render vertices: positions split at UV seams; what triangles index. */
  readonly vertexCount: number;
  readonly triangleCount: number;
  readonly identityNames: readonly string[];
  readonly expressionNames: readonly string[];
  readonly parts: readonly HeadPart[];
  /** Position of each of the 68 iBUG landmarks. */
  readonly landmarks: readonly number[];
}

export interface HeadPart {
  readonly name: string;
  readonly firstTriangle: number;
  readonly triangleCount: number;
  readonly firstVertex: number;
  readonly vertexCount: number;
}

/** Borrowed for the call. Head space: y up, +z out of the face, +x the subject's left, centimetres. */
export interface MeshArrays {
  /** [positions][3] */
  readonly positions: Float32Array;
  /** [triangles][3] render vertices, counter-clockwise seen from outside. */
  readonly triangles: Uint32Array;
  /** [vertices] render vertex → position; null when they are the same. */
  readonly source: Uint32Array | null;
  /** [vertices][2], (0,0) the top left of the image. */
  readonly uv: Float32Array | null;
}

/** Head space → pixels; camera space is OpenGL's, pixel (0,0) is the top left corner, centres at +0.5. */
export interface CameraValues {
  /** Row-major 3×3, head → camera. */
  readonly rotation: Float32Array;
  /** cm, in camera space. */
  readonly translation: Float32Array;
  /** Pixels. */
  readonly focal: number;
  /** Principal point [x, y], pixels. */
  readonly center: Float32Array;
  readonly width: number;
  readonly height: number;
}

export interface MeshLook {
  /** `clay` and `lit-texture` are lit by soft lights fixed to the camera; the others show what they hold. */
  readonly shading: 'clay' | 'normal' | 'colour' | 'texture' | 'lit-texture';
  /** Samples a pixel along each side, 1…4. */
  readonly supersample: number;
  readonly cullBack: boolean;
  /** RGBA, straight alpha. */
  readonly background: Uint8Array;
  /** [positions][4] sRGB, for `colour`. */
  readonly colours: Uint8Array | null;
  /** RGBA8, for `texture` and `lit-texture`; needs `uv`. */
  readonly texture: Uint8Array | null;
  readonly textureWidth: number;
  readonly textureHeight: number;
}
