/** What the browser page is asked and answers; plain data. */
export interface GlbShot {
  /** Pixels. @defaultValue 512 */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** Where the camera stands and looks, world space (metres, y up). */
  readonly eye?: readonly [number, number, number] | undefined;
  readonly target?: readonly [number, number, number] | undefined;
  readonly up?: readonly [number, number, number] | undefined;
  /** Vertical field of view, degrees. @defaultValue 30 */
  readonly fovY?: number | undefined;
  /**
   * A photo's camera instead: rotation (row-major 3×3, world → camera, OpenGL axes), translation, focal length and centre in pixels
   * of the shot; pixels as in native/head/camera.h. Same unit as the file (metres).
   */
  readonly camera?:
    | {
        readonly rotation: readonly number[];
        readonly translation: readonly [number, number, number];
        readonly focal: number;
        readonly center: readonly [number, number];
      }
    | undefined;
  /** unlit: texture as it is; lit: with two lamps; clay: without texture; normals: (n + 1) / 2 in camera space. @defaultValue 'lit' */
  readonly look?: 'unlit' | 'lit' | 'clay' | 'normals' | undefined;
  /** CSS colour; null: transparent, so that alpha is the silhouette. @defaultValue '#808080' */
  readonly background?: string | null | undefined;
  /** Weights of morph targets by name, on every mesh that has them. */
  readonly morphs?: Readonly<Record<string, number>> | undefined;
}

export interface GlbScene {
  /** Of all meshes at rest, world space. */
  readonly min: readonly [number, number, number];
  readonly max: readonly [number, number, number];
  readonly triangles: number;
  readonly meshes: readonly {
    readonly name: string;
    readonly triangles: number;
    readonly morphs: readonly string[];
    readonly textured: boolean;
  }[];
}
