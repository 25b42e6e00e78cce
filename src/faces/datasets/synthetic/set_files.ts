import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { addon } from '../../../core/addon/index.js';
import { type Attributes, distributionOf } from './attributes.js';
import { SPACE } from './mesh_file.js';
import { CATEGORIES, countsOf, peopleOf, planPerson, type SetOptions } from './mix.js';
import { embeddedModel } from './model.js';
import { HEAD_FILE, LIST_FILE, personName, photoNames, SET_FILE } from './names.js';
import { type MakingContext, makePerson } from './person.js';

const CONVENTIONS = {
  pixels:
    'x right, y down, (0, 0) the top left corner of the picture, pixel centres at +0.5; .pts files count from 1 at the first centre',
  head: SPACE,
  camera:
    'camera = rotation · head + translation, cm, rotation row by row; camera space is OpenGL’s (x right, y up, looking down −z); x = center[0] + focal · X / −Z, y = center[1] − focal · Y / −Z',
  pose: 'radians; yaw > 0 turns the face to its own left, pitch > 0 lifts the chin, roll > 0 tilts the head to its own left shoulder',
  landmarks: '68 in iBUG order; points of the jaw that hide lie on the visible contour',
  mask: 'opacity of head, hair and neck, 0…255',
  geometry: `positions = mean + identity · identity modes + expression · expression modes, of ${HEAD_FILE}; those of the neutral meshes come in the same order`,
  variant:
    'matrix: where a pixel position of the photo it is made of lies in it; then blur (sigma, pixels), gain (of linear R, G, B), noise (sigma of 255), JPEG quality. Of mirrored ones camera, landmarks and expression are those of the mirrored person',
} as const;

/**
 * What says of a set as a whole, as files in `folder`: known without rendering it.
 * @returns [name in the set, path] of each. @throws ERR_DAF_CANCELLED
 */
export async function setFiles(
  set: SetOptions & { readonly daf: string },
  folder: string,
  context: Pick<MakingContext, 'checkCancelled'>,
): Promise<(readonly [name: string, path: string])[]> {
  const { handle, info } = embeddedModel();
  const people: Attributes[] = [];
  async function* lines(): AsyncGenerator<string> {
    for (let person = 0; person < peopleOf(set); person++) {
      context.checkCancelled();
      const { attributes } = makePerson(set, person);
      people.push(attributes);
      const photos = planPerson(set, person).map(({ index, category }) => {
        const { photo: path } = photoNames(person, index);
        return `${JSON.stringify({ path, person: personName(person), attributes: { ...attributes, category } })}\n`;
      });
      yield photos.join('');
    }
  }
  const list = join(folder, LIST_FILE);
  await pipeline(Readable.from(lines()), createWriteStream(list));
  const head = join(folder, 'head.safetensors');
  addon().headSave(handle, head);
  const about = join(folder, SET_FILE);
  const facts = {
    format: 'daf-synthetic 1',
    madeBy: `DAF ${set.daf}`,
    mix: set.mix,
    seed: set.seed,
    scale: set.scale,
    photos: { total: set.count, ...countsOf(set) },
    sides: Object.fromEntries(CATEGORIES.slice(0, 3).map((each) => [each, Number(each) * set.scale])),
    people: people.length,
    origin: 'rendered from a parametric head: no photo or scan of a person went into it, and nobody in it exists',
    licence: 'DAF claims no rights in what it renders: the set is yours to licence',
    conventions: CONVENTIONS,
    identityNames: info.identityNames,
    expressionNames: info.expressionNames,
    landmarkVertices: info.landmarks,
    attributes: distributionOf(people),
  };
  await pipeline(Readable.from([`${JSON.stringify(facts, null, 2)}\n`]), createWriteStream(about));
  return [
    [SET_FILE, about],
    [LIST_FILE, list],
    [HEAD_FILE, head],
  ];
}
