import { basename, join } from 'node:path';
import { resolveModels } from '#daf/faces/models/resolve.js';
import { areaUnderCurve, cosine, cropMap, cropOf, hog, hullMask, type Point, toCrop } from '#daf/testing/likeness/hog.js';
import { fitLight, underLight } from '#daf/testing/likeness/light.js';
import { openEyes } from '../faces/measure-eyes.js';
import { type Row, row } from '../row.js';
import { type Exported, exportedOf } from './built.js';
import type { Context, PartResult } from './context.js';
import { peopleAvatars, withoutName } from './people.js';
import { beforeGrey, drawGlb } from './picture.js';
import { type FacePhoto, facePhoto, poseLike, SIDE } from './posed.js';
import { writeSheet } from './sheet.js';

/** Of the photos; and the least area under the curve. */
const RIGHT = 11 / 17;
const AREA = 0.75;

interface Query {
  readonly person: string;
  readonly file: string;
  readonly face: FacePhoto;
}

/** How alike a photo and each person are. */
interface Answer {
  readonly photo: string;
  readonly person: string;
  readonly alike: Readonly<Record<string, number>>;
}

/** Left out, is a real person's photo nearest to their own avatar? */
export async function evaluateRecognition(context: Context): Promise<PartResult> {
  const made = peopleAvatars(context);
  if (made === null) {
    context.log('faces/people is not there');
    return { rows: [], details: null };
  }
  const eyes = await openEyes(await resolveModels({ models: 'embedded' }, {}));
  const queries: Query[] = [];
  for (const [person, photos] of made.people) {
    for (const file of photos) {
      const face = await facePhoto(file, eyes);
      if (face === null) context.log(`${file}: no face found`);
      else queries.push({ person, file, face });
    }
  }
  await eyes.dispose();
  const names = [...made.people.keys()];
  const answers = queries.map(({ person, file }) => ({ photo: basename(file), person, alike: {} as Record<string, number> }));
  const lines = queries.map(({ face }) => [face.rgb]);
  for (const name of names) {
    const full = await exportedOf(made.out, name);
    for (const [i, { person, file, face }] of queries.entries()) {
      const avatar = person === name ? await exportedOf(made.out, withoutName(person, file)) : full;
      if (avatar === null) continue;
      const { alike, rgb } = await compare(context, avatar, face);
      answers[i]!.alike[name] = alike;
      lines[i]!.push(rgb);
    }
  }
  if (context.show !== null) {
    const tiles = lines.map((line) => line.map((rgb) => ({ rgb, width: SIDE, height: SIDE })));
    await writeSheet(join(context.show, 'people.png'), tiles, 200);
  }
  for (const { person, photo, alike } of answers) {
    const said = names.map((name) => `${name} ${(alike[name] ?? Number.NaN).toFixed(3)}`).join(' ');
    context.log(`${person}/${photo} is nearest to ${nearest(alike)}: ${said}`);
  }
  const reference = queries.map((query) => amongPhotos(query, queries));
  const rows = [
    ...rowsOf('left-out photos whose avatar is the nearest', answers, context.quality, true),
    ...rowsOf('photos nearest to one of the same person', reference, context.quality, false),
  ];
  return { rows, details: { avatars: answers, photos: reference } };
}

/** Pose, expression and light are the photo's; identity and texture are the avatar's. */
async function compare({ viewer }: Context, avatar: Exported, face: FacePhoto): Promise<{ alike: number; rgb: Uint8Array }> {
  const posed = poseLike(face, avatar.landmarks);
  await viewer.load(avatar.glb);
  const drawn = await drawGlb(viewer, posed.camera, posed.expression);
  const inPhoto = hullMask(points(face.landmarks), SIDE);
  const light = fitLight(drawn, face.rgb, (i) => inPhoto[i] !== 0 && drawn.rgba[4 * i + 3]! >= 250);
  const rgb = beforeGrey(underLight(drawn, light));
  const covered = (i: number): boolean => drawn.rgba[4 * i + 3]! >= 250;
  return { alike: alikeness({ rgb, landmarks: posed.landmarks, covered }, { ...face, covered: () => true }), rgb };
}

interface Side {
  readonly rgb: Uint8Array;
  readonly landmarks: Float32Array;
  covered(pixel: number): boolean;
}

/**
 * Of the gradients inside the face that both show, from the brows to the jaw: the hull of the landmarks, where neither hair nor background is,
 * the same pixels on both sides.
 */
function alikeness(one: Side, other: Side): number {
  const sides = [one, other].map(({ rgb, landmarks, covered }) => {
    const eye = (first: number): Point => {
      const [x, y] = [0, 1].map((k) => [0, 1, 2, 3, 4, 5].reduce((sum, i) => sum + landmarks[2 * (first + i) + k]! / 6, 0));
      return [x!, y!];
    };
    const map = cropMap(eye(36), eye(42));
    const grey = (i: number): number => 0.299 * rgb[3 * i]! + 0.587 * rgb[3 * i + 1]! + 0.114 * rgb[3 * i + 2]!;
    const crop = cropOf(SIDE, SIDE, map, (x, y) => grey(y * SIDE + x));
    const solid = cropOf(SIDE, SIDE, map, (x, y) => (covered(y * SIDE + x) ? 1 : 0));
    const hull = hullMask(points(landmarks).map((point) => toCrop(map, point)));
    return { crop, mask: hull.map((value, i) => (value !== 0 && solid.data[i]! > 0.99 ? 1 : 0)) };
  });
  const joint = sides[0]!.mask.map((value, i) => value & sides[1]!.mask[i]!);
  return cosine(hog(sides[0]!.crop, joint), hog(sides[1]!.crop, joint));
}

const points = (landmarks: Float32Array): Point[] =>
  Array.from({ length: 68 }, (_, i) => [landmarks[2 * i]!, landmarks[2 * i + 1]!]);

/** What could be had without avatars: the most alike of each person's photos, itself left out. */
function amongPhotos(query: Query, queries: readonly Query[]): Answer {
  const alike: Record<string, number> = {};
  for (const other of queries) {
    if (other === query) continue;
    const value = alikeness({ ...query.face, covered: () => true }, { ...other.face, covered: () => true });
    alike[other.person] = Math.max(alike[other.person] ?? -1, value);
  }
  return { photo: basename(query.file), person: query.person, alike };
}

const nearest = (alike: Readonly<Record<string, number>>): string =>
  Object.entries(alike).reduce((best, one) => (one[1] > best[1] ? one : best), ['nobody', -2])[0]!;

function rowsOf(question: string, answers: readonly Answer[], quality: string, aims: boolean): Row[] {
  const right = answers.filter(({ person, alike }) => nearest(alike) === person).length;
  const wanted = Math.ceil(RIGHT * answers.length - 1e-9);
  const same = answers.flatMap(({ person, alike }) => alike[person] ?? []);
  const different = answers.flatMap(({ person, alike }) =>
    Object.entries(alike).flatMap(([name, value]) => (name === person ? [] : [value])),
  );
  const area = areaUnderCurve(same, different);
  const what = aims ? `faces/people, one photo left out, ${quality}` : 'faces/people';
  return [
    row(question, what, right, `of ${answers.length}`, `${wanted} wanted`, right / wanted, aims ? 1 : null),
    row(`${question}: area under the curve`, what, area, 'AUC', `${AREA}`, area / AREA, aims ? 1 : null),
  ];
}
