import tap from 'tap';
import { demoPhoto } from './demo/write_input.js';
import { avatarMesh } from './export/mesh.js';
import { meshFiles } from './files.js';
import { type FittedPerson, texturePerson } from './fit_person.js';
import { embeddedHead, shapeOf } from './head.js';
import type { OpenPhoto } from './photo.js';
import { seamViews } from './seams.test.fixture.js';
import { surfaceOfGlb } from './surface.js';

const SEED = 4101;

/** The exported head of a synthetic person, textured from photos whose cameras and outlines are known. */
async function texturedHead(person: number, photos: number) {
  const head = embeddedHead();
  const shown = Array.from({ length: photos }, (_, photo) => demoPhoto(person, photo, { seed: SEED }, { expression: 0 }));
  const neutral = shapeOf(head, shown[0]!.identity);
  const fitted = {
    fit: { views: shown.map(({ camera }) => ({ camera, trust: 1 })) },
    neutral,
    shown: shown.map(() => neutral),
  } as unknown as FittedPerson;
  const opened = shown.map(({ rgb, mask, camera: { width, height } }) => ({
    ...{ rgb, matte: mask, width, height, observation: { quality: 1 } },
  })) as unknown as OpenPhoto[];
  const texture = texturePerson(head, fitted, opened, 512, new Int32Array(new SharedArrayBuffer(12)));
  const { source, uv: uvs, triangles, expressions } = head;
  const mesh = avatarMesh({
    positions: neutral,
    source,
    uvs,
    triangles,
    parts: head.info.parts,
    expressions: expressions.slice(0, 0),
  });
  return surfaceOfGlb((await meshFiles(mesh, texture, 'seams'))['avatar.glb']);
}

const degrees = (yaw: number): number => Math.round((yaw * 180) / Math.PI);

for (const [person, photos] of [
  [0, 1],
  [1, 3],
] as const) {
  tap.test(`no border of the texture's charts shows from four sides: person ${person + 1}, photos: ${photos}`, async (t) => {
    const surface = await texturedHead(person, photos);
    const seams = seamViews(surface);
    t.ok(Math.max(...seams.map(({ places }) => places)) > 200, 'a border of charts is seen');
    for (const { yaw, places, across, inside, worst } of seams) {
      if (places === 0) continue;
      const values = `${across.toFixed(2)} across, ${inside.toFixed(2)} beside it, at worst ${worst.toFixed(2)} more`;
      t.ok(across < 1.4 * inside + 0.4, `yaw ${degrees(yaw)}: ${values}`);
      t.ok(worst < 2.5, `yaw ${degrees(yaw)}: no piece of the border stands out, ${values}`);
    }
  });
}
