import type { ControlWords, FieldBox } from '../types.js';
import type { TexturedMesh } from './export/mesh.js';

export interface FieldMeshOptions {
  /** Cells along each side of the box, 1–1024. @defaultValue 256 */
  readonly resolution?: number;
  /** Density, per unit of length, at which the surface lies. @defaultValue where rays from outside end, see `chooseLevel` */
  readonly level?: number | null;
  /** The part of the field to mesh. @defaultValue the field's box; of an unbounded field what its cameras look at, see `subjectBox` */
  readonly box?: FieldBox;
  /** Triangles at most, where the shape allows it; 0: as many as there are. @defaultValue 100000 */
  readonly faces?: number;
  /** Pieces with fewer than this share of the largest piece's triangles are dropped, 0–1; 1: all but the largest. @defaultValue 1 */
  readonly keepShare?: number;
  /** Iterations of Taubin smoothing, 0–100; vertices are then not moved onto the level. @defaultValue 0 */
  readonly smooth?: number;
  /** Texels along each side of the texture, 64–8192. @defaultValue 2048 */
  readonly texture?: number;
  /** Texels that a chart keeps free around itself, 1–16. @defaultValue 2 */
  readonly gutter?: number;
  /**
   * Count as inside what no ray from outside reaches, or no picture of a capture shows, and as outside what the latter look through,
   * instead of meshing what the field happens to hold there; see native/nerf/seen_space.h. @defaultValue true
   */
  readonly solid?: boolean;
  /**
   * How carefully pieces smaller than 4 cells are looked for, see native/mesh/band_surface.h; 0 trusts the coarse samples.
   * @defaultValue 1
   */
  readonly guard?: number;
  /** Ask every point of the grid: slow, for comparison. @defaultValue false */
  readonly exhaustive?: boolean;
  /** Cancel and progress of the stage in hand. */
  readonly control?: ControlWords | null;
  /** Called as each stage begins. */
  readonly onStage?: (stage: MeshStage) => void;
}

export const MESH_STAGES = ['level', 'surface', 'smooth', 'simplify', 'fit', 'unwrap', 'bake'] as const;
export type MeshStage = (typeof MESH_STAGES)[number];

/** A field's surface in the field's own space and unit. */
export interface FieldMesh extends TexturedMesh {
  readonly texture: {
    /** [size][size][3] bytes, sRGB. */
    readonly rgb: Uint8Array;
    readonly size: number;
  };
  readonly report: FieldMeshReport;
}

export interface FieldMeshReport {
  /** Density of the surface, per unit of length. */
  readonly level: number;
  readonly resolution: number;
  /** Field evaluations that found the surface, and those that asking every point of the grid takes. */
  readonly surfaceQueries: number;
  readonly denseQueries: number;
  /** Field evaluations of all stages. */
  readonly queries: number;
  /** Pieces found, and what was left of them before simplification. */
  readonly components: number;
  readonly surfaceTriangles: number;
  /** Of the file; vertices where charts meet count once for each. */
  readonly triangles: number;
  readonly vertices: number;
  readonly charts: number;
  /** The most that a length on the surface is shortened in the texture. */
  readonly stretch: number;
  /** Wall-clock seconds of each stage that ran. */
  readonly stageSeconds: Readonly<Partial<Record<MeshStage, number>>>;
}
