import { Field, type FieldMesh, type FieldMeshOptions, meshField, type TrainingView } from '#daf/fields/index.js';
import { orbit, spherePicture } from '#daf/fields/testing-scene.js';
import { type BenchOptions, type Row, row } from './row.js';

export const group = 'field';
export const name = 'mesh';

const LIMIT_MB = 512;
const STAGES = ['surface', 'simplify', 'fit', 'unwrap', 'bake'] as const;

/**
 * How few queries find the surface of a trained field, is it the surface of the whole grid, what do the stages take, and does all of it stay
 * within a worker's memory? The peer in the same run asks every point of the grid that is not known to be empty.
 */
export async function run(options: BenchOptions): Promise<readonly Row[]> {
  const resolution = options.quick ? 64 : 256;
  using field = trainedField(options.quick ? 100 : 600);
  const mesh = meshOf(field, { resolution }, options);
  const dense = meshOf(field, { resolution, exhaustive: true }, options);
  const { surfaceQueries, denseQueries, stageSeconds } = mesh.report;
  const same = equal(mesh.positions, dense.positions) && equal(mesh.triangles, dense.triangles);
  const what = `hash grid that learnt a sphere, ${resolution}³, ${mesh.report.surfaceTriangles} → ${mesh.report.triangles} triangles, ${mesh.texture.size}² texture`;
  const total = STAGES.reduce((sum, stage) => sum + (stageSeconds[stage] ?? 0), 0);
  const peak = process.resourceUsage().maxRSS / 1024;
  return [
    row(
      'queries that find the surface',
      what,
      surfaceQueries,
      'queries',
      `dense grid, ${denseQueries} points`,
      denseQueries / surfaceQueries,
      12,
    ),
    row(
      'queries, against every point that the occupancy grid leaves',
      what,
      surfaceQueries,
      'queries',
      `${dense.report.surfaceQueries} points, same run`,
      dense.report.surfaceQueries / surfaceQueries,
      null,
    ),
    row('the mesh is that of the dense grid', what, same ? 1 : 0, 'identical', 'dense grid, same run', same ? 1 : 0, 1),
    ...STAGES.map((stage) => {
      const share = (stageSeconds[stage] ?? 0) / total;
      return row(`share of the time: ${stage}`, what, share, 'of all stages', `${total.toFixed(2)} s`, share, null);
    }),
    row('largest resident memory', what, peak, 'MB', `limit of ${LIMIT_MB} MB`, LIMIT_MB / peak, 1),
  ];
}

function meshOf(field: Field, settings: FieldMeshOptions, options: BenchOptions): FieldMesh {
  const mesh = meshField(field, settings);
  options.log(`${settings.exhaustive === true ? 'every point' : 'band'}: ${mesh.report.surfaceQueries} queries`);
  return mesh;
}

function trainedField(steps: number): Field {
  const box = { min: [-8, -8, -8], max: [8, 8, 8] } as const;
  const field = Field.create({ kind: 'hashgrid', box, occupancy: 64 });
  const views: TrainingView[] = [];
  for (let i = 0; i < 24; i++) views.push(spherePicture(orbit(i * 2.4, (i % 5) * 0.6 - 1.2, 60, 96), 'supervised'));
  using session = field.train(views, { totalSteps: steps });
  session.run(steps);
  return field;
}

function equal(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.prototype.every.call(a, (value, i) => value === b[i]);
}
