import type { Addon, SurfaceHandle } from '../../core/addon/index.js';
import { DafError } from '../../core/contracts/errors.js';
import type { Field } from '../field.js';
import { native } from '../native.js';
import { chooseLevel } from './level.js';
import { type FilledMeshOptions, meshOptions } from './options.js';
import { subjectBox } from './subject.js';
import type { FieldMesh, FieldMeshOptions, MeshStage } from './types.js';

/** Cells within which a vertex or texel looks for the level. */
const REACH = 1;
/** The same where smoothing has moved the surface on purpose. */
const SMOOTHED_REACH = 2;

/**
 * The surface of a field: closed and 2-manifold, simplified, with normals from the density's gradient, texture coordinates
 * without overlaps and the colour that is seen from outside, evened out over views. Blocks: call it in a worker thread.
 * @throws DafError ERR_DAF_BAD_OPTION; ERR_DAF_BAD_DATA: no surface at that level, or more charts than the texture holds;
 * ERR_DAF_MEMORY_LIMIT saying how large the surface is; ERR_DAF_CANCELLED
 */
export function meshField(field: Field, options: FieldMeshOptions = {}): FieldMesh {
  const filled = meshOptions(options, subjectBox(field));
  return native((daf) => new Meshing(daf, field, filled).run());
}

class Meshing {
  readonly #daf: Addon;
  readonly #field: Field;
  readonly #options: FilledMeshOptions;
  readonly #seconds: Partial<Record<MeshStage, number>> = {};

  constructor(daf: Addon, field: Field, options: FilledMeshOptions) {
    this.#daf = daf;
    this.#field = field;
    this.#options = options;
  }

  run(): FieldMesh {
    const level = this.#options.level ?? this.#stage('level', () => this.#level());
    const surface = this.#stage('surface', () => this.#extract(level));
    try {
      return this.#finish(surface);
    } finally {
      this.#daf.surfaceDispose(surface);
    }
  }

  #stage<T>(stage: MeshStage, work: () => T): T {
    this.#options.onStage(stage);
    const started = performance.now();
    const result = work();
    this.#seconds[stage] = (performance.now() - started) / 1000;
    return result;
  }

  /** Where light ends; 0 leaves it to the surface, which follows the pictures of a capture. */
  #level(): number {
    const { box, control } = this.#options;
    const capture = this.#field.box.unbounded === true && this.#field.cameras().length > 0;
    return capture ? 0 : chooseLevel(this.#field, box, control);
  }

  #extract(level: number): SurfaceHandle {
    const { resolution, box, solid, guard, keepShare, exhaustive, faces, smooth, control } = this.#options;
    const corners = { low: Float32Array.from(box.min), high: Float32Array.from(box.max) };
    const surface = this.#daf.surfaceExtract(
      this.#field.handle,
      { resolution, ...corners, level, solid, guard, keepShare, exhaustive, faces: smooth > 0 ? 0 : faces },
      control,
    );
    const found = this.#daf.surfaceInfo(surface);
    if (found.triangles > 0) return surface;
    throw new DafError('ERR_DAF_BAD_DATA', `the field has no surface at a density of ${found.level} per unit of length`, {
      hint: 'another --level, or leave it out to have one chosen',
    });
  }

  #finish(surface: SurfaceHandle): FieldMesh {
    const daf = this.#daf;
    const { resolution, faces, smooth, texture, gutter, control } = this.#options;
    const found = daf.surfaceInfo(surface);
    if (smooth > 0) this.#stage('smooth', () => daf.surfaceSmooth(surface, smooth, control));
    if (faces > 0) this.#stage('simplify', () => daf.surfaceSimplify(surface, faces, control));
    this.#stage('fit', () => daf.surfaceFit(surface, this.#field.handle, smooth > 0 ? 0 : REACH, control));
    this.#stage('unwrap', () => daf.surfaceUnwrap(surface, texture, gutter, control));
    const rgb = new Uint8Array(3 * texture * texture);
    const reach = smooth > 0 ? SMOOTHED_REACH : REACH;
    this.#stage('bake', () => daf.surfaceBake(surface, this.#field.handle, texture, reach, control, rgb));
    const info = daf.surfaceInfo(surface);
    const mesh = {
      positions: new Float32Array(3 * info.atlasVertices),
      normals: new Float32Array(3 * info.atlasVertices),
      uvs: new Float32Array(2 * info.atlasVertices),
      triangles: new Uint32Array(3 * info.triangles),
    };
    daf.surfaceRead(surface, mesh.positions, mesh.normals, mesh.uvs, mesh.triangles);
    const whole = { firstVertex: 0, vertexCount: info.atlasVertices, firstTriangle: 0, triangleCount: info.triangles };
    return {
      ...mesh,
      parts: [{ name: 'surface', ...whole }],
      expressions: [],
      texture: { rgb, size: texture },
      report: {
        level: found.level,
        resolution,
        surfaceQueries: found.queries,
        denseQueries: (resolution + 1) ** 3,
        queries: info.queries,
        components: found.components,
        surfaceTriangles: found.surfaceTriangles,
        triangles: info.triangles,
        vertices: info.atlasVertices,
        charts: info.charts,
        stretch: info.stretch,
        stageSeconds: this.#seconds,
      },
    };
  }
}
