import { readFileSync } from 'node:fs';
import { withoutClothes } from '#daf/avatars/clothes.js';
import { avatarMesh } from '#daf/avatars/export/mesh.js';
import { openEyes } from '#daf/avatars/eyes.js';
import { meshFiles } from '#daf/avatars/files.js';
import { CHIN, type FittedPerson, landmarkOf, texturePerson } from '#daf/avatars/fit_person.js';
import { embeddedHead, shapeOf } from '#daf/avatars/head.js';
import { encodeObservation } from '#daf/avatars/observation.js';
import { observe } from '#daf/avatars/observe.js';
import { avatarOptions } from '#daf/avatars/options.js';
import { fitView, openPhoto } from '#daf/avatars/photo.js';
import { addon } from '#daf/core/addon/index.js';

/**
 * The least that an avatar must beat: the mean head, identity and displacement nil, in the pose and expression that suit one photo, textured from it
 * as an avatar is.
 * @returns the bytes of its GLB.
 */
export async function meanHeadGlb(photo: string, quality: string): Promise<Uint8Array> {
  const control = new Int32Array(new SharedArrayBuffer(12));
  const options = avatarOptions({ quality, models: 'embedded' });
  const record = { name: photo, path: photo, pathBytes: null, identity: 'mean', person: 0 };
  const sent = { photo: new Uint8Array(readFileSync(photo)), sidecar: null };
  const opened = await openPhoto(encodeObservation(await observe({ ...record, sent }, await openEyes(options), control)));
  const head = embeddedHead();
  const fit = addon().fitHead(
    head.handle,
    [fitView(opened.observation)],
    { identityModes: 0, expressionModes: null, noise: null, expressionSpread: null, jaw: null, displacement: false },
    control,
  );
  const nobody = new Float32Array(0);
  const neutral = shapeOf(head, nobody);
  const person: FittedPerson = { fit, neutral, shown: [shapeOf(head, nobody, fit.views[0]!.expression)] };
  const matte = withoutClothes(opened, fit.views[0]!.camera, landmarkOf(head, neutral, CHIN));
  const texture = texturePerson(head, person, [{ ...opened, matte }], options.level.texture, control);
  const mesh = avatarMesh({
    positions: neutral,
    source: head.source,
    uvs: head.uv,
    triangles: head.triangles,
    parts: head.info.parts,
    expressions: [],
  });
  return (await meshFiles(mesh, texture, 'mean'))['avatar.glb'];
}
