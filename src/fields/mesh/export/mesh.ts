/** A mesh as every exporter writes it, in the unit and frame of the file. */
export interface TexturedMesh {
  /** [R][3] */
  readonly positions: Float32Array;
  /** [R][3] unit length. */
  readonly normals: Float32Array;
  /** [R][2], glTF sense: (0,0) is the top left of the texture. */
  readonly uvs: Float32Array;
  /** [T][3] vertex indices, counter-clockwise seen from outside. */
  readonly triangles: Uint32Array;
  /** In order of their vertices; together they cover all vertices and triangles. */
  readonly parts: readonly MeshPart[];
  readonly expressions: readonly MorphTarget[];
}

/** A run of vertices and the run of triangles that uses them, and nothing else. */
export interface MeshPart {
  readonly name: string;
  readonly firstVertex: number;
  readonly vertexCount: number;
  readonly firstTriangle: number;
  readonly triangleCount: number;
}

export interface MorphTarget {
  readonly name: string;
  /** [R][3] at weight 1. */
  readonly deltas: Float32Array;
}

/** An image file to embed or to lay beside a mesh. */
export interface TextureFile {
  readonly bytes: Uint8Array;
  readonly mime: 'image/png' | 'image/jpeg';
}

/** What the files call a mesh and its surface. */
export interface MeshLabel {
  /** Of the one material. */
  readonly material: string;
  /** What a unit is and where the axes point; a comment in formats that have them. */
  readonly space: string;
}

/**
 * The texture's colour at every vertex, bilinear.
 * @param rgb [height][width][3] bytes. @returns [R][3] bytes.
 */
export function vertexColors(uvs: Float32Array, rgb: Uint8Array, width: number, height: number): Uint8Array {
  const out = new Uint8Array((uvs.length / 2) * 3);
  for (let r = 0; r < uvs.length / 2; r++) {
    const x = clamp(uvs[2 * r]! * width - 0.5, width - 1);
    const y = clamp(uvs[2 * r + 1]! * height - 0.5, height - 1);
    const x0 = Math.floor(x);
    const y0 = Math.floor(y);
    const x1 = Math.min(x0 + 1, width - 1);
    const y1 = Math.min(y0 + 1, height - 1);
    for (let c = 0; c < 3; c++) {
      const top = mix(rgb[3 * (y0 * width + x0) + c]!, rgb[3 * (y0 * width + x1) + c]!, x - x0);
      const bottom = mix(rgb[3 * (y1 * width + x0) + c]!, rgb[3 * (y1 * width + x1) + c]!, x - x0);
      out[3 * r + c] = Math.round(mix(top, bottom, y - y0));
    }
  }
  return out;
}

const clamp = (value: number, max: number): number => Math.min(Math.max(value, 0), max);
const mix = (a: number, b: number, t: number): number => a + (b - a) * t;
