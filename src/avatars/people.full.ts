import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tap from 'tap';
import { findChromium, openGlbViewer } from '../testing/glb-check.js';
import { validateGlb } from '../testing/gltf-validator.js';
import { orbitCamera } from './camera.js';
import { silhouetteIou } from './compare.js';
import { DEMO_SEED } from './demo/seed.js';
import { writeDemoInput } from './demo/write_input.js';
import { avatarInput } from './input.js';
import { runStages } from './local.test.fixture.js';
import type { AvatarReport } from './report.js';
import { drawSurface, surfaceOfGlb } from './surface.js';

const folder = await mkdtemp(join(tmpdir(), 'daf-people-'));
tap.teardown(() => rm(folder, { recursive: true, force: true }));
await writeDemoInput(folder, { people: 6, photos: null, seed: DEMO_SEED });
const run = await runStages((await avatarInput([folder])).records, { quality: 'standard' });
const glbs = [...run.files].filter(([name]) => name.endsWith('/avatar.glb')).map(([, bytes]) => bytes);
const reports = [...run.files]
  .filter(([name]) => name.endsWith('/report.json'))
  .map(([, bytes]) => JSON.parse(Buffer.from(bytes).toString()) as AvatarReport);

tap.test("the demo's people: landmarks, volume, validity", async (t) => {
  t.equal(reports.length, 6);
  for (const { identity, head, photos, field } of reports) {
    t.ok(head!.residual <= 0.02, `${identity}: landmarks within 2 % of the eye distance (${head!.residual})`);
    for (const photo of photos) t.ok(photo.residual <= 0.02, `${photo.photo}: ${photo.residual}`);
    t.ok(field!.silhouetteWorst > 0.9, `${identity}: the field is no billboard (IoU ${field!.silhouetteWorst} at its worst yaw)`);
    t.ok(field!.meshPsnr > 26, `${identity}: the field looks like the mesh (${field!.meshPsnr} dB)`);
  }
  for (const glb of glbs) t.match(await validateGlb(glb), { errors: 0, warnings: 0 });
});

// The control: every person once more, from photos that the first time did not see. An outline is a person's own when the
// rebuilt person overlaps with their first head more than with any other's.
tap.test('people are told apart by their outlines alone', async (t) => {
  const again = join(folder, 'again');
  await writeDemoInput(again, { people: 6, photos: 3, seed: DEMO_SEED, firstPhoto: 3 });
  const rebuilt = await runStages((await avatarInput([again])).records, { quality: 'draft' });
  const first = await outlinesOf(run.files);
  const second = await outlinesOf(rebuilt.files);
  t.same([...second.keys()], [...first.keys()]);
  let right = 0;
  const others: number[] = [];
  const own: number[] = [];
  for (const [person, outline] of second) {
    const overlaps = [...first].map(([name, other]) => ({ name, overlap: meanOverlap(outline, other) }));
    overlaps.sort((a, b) => b.overlap - a.overlap);
    if (overlaps[0]!.name === person) right += 1;
    for (const { name, overlap } of overlaps) (name === person ? own : others).push(overlap);
  }
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  t.comment(`${right} of 6 right; overlap with oneself ${mean(own).toFixed(3)}, with others ${mean(others).toFixed(3)}`);
  t.ok(right >= 5, `${right} of 6 people are nearest to themselves`);
  t.ok(mean(own) > mean(others));
});

tap.test('three.js loads them in metres', { skip: findChromium() === null && 'no Chromium' }, async (t) => {
  await using viewer = await openGlbViewer();
  for (const glb of glbs) {
    const scene = await viewer.load(glb);
    const height = scene.max[1] - scene.min[1];
    t.ok(height > 0.22 && height < 0.45, `head and neck are ${height.toFixed(3)} m high`);
    t.ok(scene.meshes.every((mesh) => mesh.textured && mesh.morphs.length > 40));
    t.ok(scene.meshes.some((mesh) => mesh.name === 'eye_left'));
  }
});

/** Head and neck of anybody, cm. */
const FRAME = { min: [-11, -16, -13], max: [11, 16, 13] } as const;
const YAWS = [0, Math.PI / 2, -Math.PI / 2];

/** Outlines of every person's GLB in cameras that all share: a common scale is what makes shapes comparable. */
async function outlinesOf(files: ReadonlyMap<string, Uint8Array>): Promise<Map<string, Uint8Array[]>> {
  const outlines = new Map<string, Uint8Array[]>();
  for (const [name, bytes] of files) {
    if (!name.endsWith('/avatar.glb')) continue;
    const surface = await surfaceOfGlb(bytes);
    outlines.set(
      name,
      YAWS.map((yaw) => drawSurface(surface, orbitCamera(FRAME, yaw, 0, 512), 'clay').rgba),
    );
  }
  return new Map([...outlines].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const meanOverlap = (one: readonly Uint8Array[], other: readonly Uint8Array[]): number =>
  one.reduce((sum, outline, i) => sum + silhouetteIou(outline, other[i]!), 0) / one.length;
