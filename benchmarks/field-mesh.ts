import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { anonymousBytes } from '#daf/core/memory-sample.js';
import {
  Field,
  type FieldMesh,
  type FieldMeshOptions,
  meshField,
  openScene,
  type TrainingView,
  trainScene,
} from '#daf/fields/index.js';
import { orbit, spherePicture } from '#daf/fields/testing-scene.js';
import { type BenchOptions, type Row, row } from './row.js';
import { sharedData } from './shared.js';

export const group = 'field';
export const name = 'mesh';

const LIMIT_MB = 512;
/** Of training where the scene is a capture. */
const STEPS = 1500;
/** Of `daf nerf mesh` with its own limit, where the surface does not fit as a whole. */
const FINE = 512;
const DAF = fileURLToPath(new URL('../cli/main.js', import.meta.url));
const STAGES = ['surface', 'simplify', 'fit', 'unwrap', 'bake'] as const;

/**
 * How few queries find the surface of a trained field, is it the surface of the whole grid, what do the stages take, and does all of it stay
 * within a worker's memory? The peer in the same run asks every point of the grid that is not known to be inside or outside. Fields: one that
 * learns a sphere here and, where the data beside the repository is, the small demonstration set and a capture.
 */
export async function run(options: BenchOptions): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [index, { name, make }] of fields(options).entries()) {
    let fine: number;
    {
      using field = await make();
      rows.push(...measure(field, name, options));
      fine = (await finePeak(field, options)) / 2 ** 20;
    }
    const peak = (await peakOf(index, options)) / 2 ** 20;
    const limit = `limit of ${LIMIT_MB} MB`;
    rows.push(row('memory, training and mesh', name, peak, 'MB at most', limit, LIMIT_MB / peak, 1));
    rows.push(row('memory, daf nerf mesh', `${name}, ${fineOf(options)}³`, fine, 'MB at most', limit, LIMIT_MB / fine, 1));
  }
  return rows;
}

/** Anonymous and shared memory at most of a process that learns the field of this index and meshes it, and holds nothing of the peer. */
async function peakOf(index: number, { quick }: BenchOptions): Promise<number> {
  return await peakOfProcess([fileURLToPath(import.meta.url), '--peak', String(index), String(quick)]);
}

/** The same of the command that meshes a field at a high resolution. */
async function finePeak(field: Field, options: BenchOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'daf-bench-'));
  try {
    const saved = join(folder, 'field.safetensors');
    field.saveFile(saved);
    const resolution = String(fineOf(options));
    const memory = ['--memory', `${LIMIT_MB}MB`];
    return await peakOfProcess([
      DAF,
      'nerf',
      'mesh',
      saved,
      '--resolution',
      resolution,
      ...memory,
      '--out',
      join(folder, 'field.glb'),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function peakOfProcess(argv: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, anonymousBytes(child.pid) ?? 0);
  }, 25);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', reject);
  });
  clearInterval(timer);
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}`);
  return peak;
}

const fineOf = ({ quick }: BenchOptions): number => (quick ? 128 : FINE);
const resolutionOf = ({ quick }: BenchOptions): number => (quick ? 64 : 256);

function measure(field: Field, name: string, options: BenchOptions): Row[] {
  const resolution = resolutionOf(options);
  const mesh = meshOf(field, { resolution }, options);
  const dense = meshOf(field, { resolution, exhaustive: true }, options);
  const { surfaceQueries, denseQueries, stageSeconds } = mesh.report;
  const same = equal(mesh.positions, dense.positions) && equal(mesh.triangles, dense.triangles);
  const what = `${name}, ${resolution}³, ${mesh.report.surfaceTriangles} → ${mesh.report.triangles} triangles, ${mesh.texture.size}² texture`;
  const total = STAGES.reduce((sum, stage) => sum + (stageSeconds[stage] ?? 0), 0);
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
      'queries, against every point that is not known to be inside or outside',
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
  ];
}

interface NamedField {
  readonly name: string;
  make(): Promise<Field>;
}

function fields(options: BenchOptions): NamedField[] {
  const sphere = { name: 'hash grid that learnt a sphere', make: async () => sphereField(options.quick ? 100 : 600) };
  const scenes = options.quick ? [] : ['tiny-lego', 'head-fangzhou'];
  const learnt = scenes.flatMap((scene) => {
    const folder = sharedData(join('scenes', scene));
    if (folder === null) options.log(`${scene}: skipped, it is not beside the repository`);
    const make = async (): Promise<Field> => (await trainScene(await openScene(folder!), { steps: STEPS, threads: 2 })).field;
    return folder === null ? [] : [{ name: `${scene}, ${STEPS} steps`, make }];
  });
  return [sphere, ...learnt];
}

function meshOf(field: Field, settings: FieldMeshOptions, options: BenchOptions): FieldMesh {
  const mesh = meshField(field, settings);
  options.log(`${settings.exhaustive === true ? 'every point' : 'band'}: ${mesh.report.surfaceQueries} queries`);
  return mesh;
}

function sphereField(steps: number): Field {
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

// As a child: one field and its mesh, for the memory alone.
if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === '--peak') {
  const options: BenchOptions = { quick: process.argv[4] === 'true', settings: {}, log: () => {} };
  using field = await fields(options)[Number(process.argv[3])]!.make();
  meshField(field, { resolution: resolutionOf(options) });
}
