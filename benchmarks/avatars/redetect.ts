import { basename, extname, join } from 'node:path';
import { resolveModels } from '#daf/faces/models/resolve.js';
import { meanError, outerEyes } from '../faces/measure.js';
import { openEyes } from '../faces/measure-eyes.js';
import { type Row, row } from '../row.js';
import { sharedData } from '../shared.js';
import { type Exported, exportedOf, syntheticName } from './built.js';
import { type Context, mean, type PartResult } from './context.js';
import { peopleAvatars } from './people.js';
import { beforeGrey, drawGlb } from './picture.js';
import { facePhoto, landmarksIn, poseLike, SIDE } from './posed.js';
import { writeSheet } from './sheet.js';
import { syntheticAvatars, syntheticInput } from './views.js';

/** Most outer-eye NME, %. */
const BOUNDS = { pack: 4, embedded: 6 } as const;

interface Pair {
  readonly set: string;
  readonly photo: string;
  readonly exported: Exported;
}

interface Found {
  readonly photo: string;
  /** Outer-eye NME, %; null where the render shows no face to the detector. */
  readonly nme: number | null;
  /** How far the avatar's own landmarks are from the photo's, of the outer-eye distance. */
  readonly residual: number;
}

/** Does a finder of landmarks find on the avatar, posed like a photo, what it finds on the photo? */
export async function evaluateRedetection(context: Context): Promise<PartResult> {
  const pairs = [...(await syntheticPairs(context)), ...(await realPairs(context))];
  const packs = sharedData('models');
  const rows: Row[] = [];
  const details: Record<string, Found[]> = {};
  for (const system of ['embedded', 'pack'] as const) {
    if (system === 'pack' && packs === null) continue;
    const models = await resolveModels({ models: system === 'pack' ? packs! : 'embedded' }, {});
    const eyes = await openEyes(models);
    for (const set of ['synthetic', 'people']) {
      const found: Found[] = [];
      let unseen = 0;
      for (const { photo, exported } of pairs.filter((pair) => pair.set === set)) {
        const face = await facePhoto(photo, eyes);
        if (face === null) {
          unseen += 1;
          continue;
        }
        const posed = poseLike(face, exported.landmarks);
        await context.viewer.load(exported.glb);
        const rgb = beforeGrey((await drawGlb(context.viewer, posed.camera, posed.expression)).rgba);
        const again = await landmarksIn({ width: SIDE, height: SIDE, channels: 3, data: rgb }, eyes);
        const nme = again === null ? null : (100 * meanError(again, face.landmarks)) / outerEyes(face.landmarks);
        found.push({ photo: join(exported.name, basename(photo)), nme, residual: posed.residual });
        if (context.show !== null) {
          const tiles = [face.rgb, rgb].map((pixels) => ({ rgb: pixels, width: SIDE, height: SIDE }));
          await writeSheet(join(context.show, `again-${system}-${exported.name}-${basename(photo, extname(photo))}.png`), [
            tiles,
          ]);
        }
      }
      if (found.length === 0) continue;
      details[`${system} ${set}`] = found;
      rows.push(rowOf(system, set, found, unseen));
    }
    await eyes.dispose();
  }
  return { rows, details };
}

/** A render in which no face is found is as wrong as can be. */
const MISSED = 100;

function rowOf(system: keyof typeof BOUNDS, set: string, found: readonly Found[], unseen: number): Row {
  const value = mean(found.map(({ nme }) => nme ?? MISSED));
  const missed = found.filter(({ nme }) => nme === null).length;
  const what = `${found.length} photos, ${set}, ${missed} renders without a face found${unseen > 0 ? `, ${unseen} photos too` : ''}`;
  return row(
    `landmarks found again, ${system}`,
    what,
    value,
    '% of the outer-eye distance',
    `${BOUNDS[system]} %`,
    BOUNDS[system] / value,
    1,
  );
}

async function syntheticPairs(context: Context): Promise<Pair[]> {
  const out = await syntheticAvatars(context, 1);
  const pairs: Pair[] = [];
  for (let person = 0; person < context.people; ++person) {
    const name = syntheticName(person, 1);
    const exported = await exportedOf(out, name);
    if (exported !== null)
      pairs.push({ set: 'synthetic', photo: join(syntheticInput(context, 1), name, 'photo-1.png'), exported });
  }
  return pairs;
}

async function realPairs(context: Context): Promise<Pair[]> {
  const made = peopleAvatars(context);
  if (made === null) return [];
  const pairs: Pair[] = [];
  for (const [person, photos] of made.people) {
    const exported = await exportedOf(made.out, person);
    if (exported !== null) pairs.push(...photos.map((photo) => ({ set: 'people', photo, exported })));
  }
  return pairs;
}
