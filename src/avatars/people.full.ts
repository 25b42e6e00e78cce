import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tap from 'tap';
import { findChromium, openGlbViewer } from '../testing/glb-check.js';
import { validateGlb } from '../testing/gltf-validator.js';
import { orbitCamera } from './camera.js';
import { silhouetteIou } from './compare.js';
import { writeDemoInput } from './demo/write_input.js';
import { avatarInput } from './input.js';
import { runStages } from './local.test.fixture.js';
import type { AvatarReport } from './report.js';
import { drawSurface, surfaceOfGlb } from './surface.js';

const folder = await mkdtemp(join(tmpdir(), 'daf-people-'));
tap.teardown(() => rm(folder, { recursive: true, force: true }));
await writeDemoInput(folder, { people: 6, photos: null, seed: 1 });
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

tap.test('different people have different silhouettes', async (t) => {
  const surfaces = await Promise.all(glbs.map(surfaceOfGlb));
  // One camera for all: a common scale is what makes shapes comparable.
  const cameras = [0, Math.PI / 2].map((yaw) => orbitCamera(surfaces[0]!.box, yaw, 0, 256));
  const outlines = surfaces.map((surface) => cameras.map((camera) => drawSurface(surface, camera, 'clay').rgba));
  for (const [i, one] of outlines.entries()) {
    for (const [j, other] of outlines.entries()) {
      if (j <= i) continue;
      const overlap = cameras.reduce((sum, _, k) => sum + silhouetteIou(one[k]!, other[k]!), 0) / cameras.length;
      t.ok(overlap < 0.993, `people ${i + 1} and ${j + 1} overlap by ${overlap.toFixed(3)}`);
    }
  }
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
