import { join } from 'node:path';
import { Field } from '#daf/fields/index.js';
import { similarityOf, throughSimilarity } from '#daf/testing/likeness/similarity.js';
import { type Row, row } from '../row.js';
import { exportedOf, landmarksOf, makeAvatars, syntheticName, writeSynthetic } from './built.js';
import { type Context, mean, type PartResult } from './context.js';
import { meanHeadGlb } from './mean-head.js';
import { beforeGrey, type Drawn, drawField, drawGlb } from './picture.js';
import { lightOf, outlinePicture, type Score, scoreOf } from './score.js';
import { writeSheet } from './sheet.js';
import { exposedLonger, REGIONS, type Region, type Truth, truthAt, truthLandmarks, truthOf, YAWS } from './truth.js';

/** Least PSNR (dB) and silhouette overlap by the size of the turn. */
const BOUNDS = [
  { turn: 0, psnr: 24, iou: 0.95 },
  { turn: 30, psnr: 21, iou: 0.92 },
  { turn: 60, psnr: 18, iou: 0.88 },
] as const;
/** How much better than the mean head at ±30°, dB. */
const MARGIN = 2;

/** One way to show a person. */
export interface Shown {
  readonly scores: readonly Score[];
  /** [pixels][3] of each view, lit, before grey. */
  readonly pictures: readonly Uint8Array[];
}

interface PersonViews {
  readonly person: number;
  /** Of YAWS, then of the input photo itself. */
  readonly glb: readonly Score[];
  readonly field: readonly Score[];
  readonly meanHead: readonly Score[];
}

/** Synthetic people from one photo each, against the truth from five sides; and the input photo, which does not count. */
export async function evaluateViews(context: Context): Promise<PartResult> {
  const out = await syntheticAvatars(context, 1);
  const results: PersonViews[] = [];
  for (let person = 0; person < context.people; ++person) {
    const name = syntheticName(person, 1);
    const exported = await exportedOf(out, name);
    if (exported === null) {
      context.log(`${name}: no avatar`);
      continue;
    }
    const truths = [...YAWS.map((yaw) => truthAt(person, 0, yaw)), truthOf(person, 0, {})];
    const own = await showMesh(context, exported.glb, exported.landmarks, truths);
    const field = showField(exported.field, own.drawn, exported.landmarks, truths);
    const photo = join(syntheticInput(context, 1), name, 'photo-1.png');
    const meanGlb = await meanHeadGlb(photo, context.quality);
    const meanHead = await showMesh(context, meanGlb, await landmarksOf(meanGlb), truths);
    results.push({ person, glb: own.scores, field: field.scores, meanHead: meanHead.scores });
    context.log(`${name}: ${YAWS.map((yaw, i) => line(yaw, own.scores[i]!, field.scores[i]!, meanHead.scores[i]!)).join('; ')}`);
    if (context.show !== null) {
      const tile = (rgb: Uint8Array) => ({ rgb, width: truths[0]!.photo.camera.width, height: truths[0]!.photo.camera.height });
      const lines = truths.map((truth, i) =>
        [truth.photo.rgb, own.pictures[i]!, field.pictures[i]!, meanHead.pictures[i]!, outlinePicture(own.drawn[i]!, truth)].map(
          tile,
        ),
      );
      await writeSheet(join(context.show, `${name}.png`), lines);
    }
  }
  return { rows: rowsOf(results, context), details: results };
}

/** Avatars of the synthetic people from their first photos. @returns where they are. */
export async function syntheticAvatars(context: Context, photos: number): Promise<string> {
  const input = syntheticInput(context, photos);
  await writeSynthetic(input, context.people, photos);
  makeAvatars(input, `${input}-avatars`, context.quality);
  return `${input}-avatars`;
}

export const syntheticInput = ({ work, people }: Context, photos: number): string =>
  join(work, `synthetic-${people}-of-${photos}`);

/**
 * A file as the truth's cameras see it. Size and place of an avatar are no likeness, so the truth's neutral landmarks are laid on the file's by the
 * similarity nearest in space, and the truth's cameras go along: no picture has a say in it. The first truth, at yaw 0, gives the one light of all.
 */
export async function showMesh(
  context: Context,
  glb: Uint8Array,
  landmarks: Float32Array,
  truths: readonly Truth[],
): Promise<Shown & { readonly drawn: readonly Drawn[] }> {
  await context.viewer.load(glb);
  const drawn: Drawn[] = [];
  for (const camera of cameras(landmarks, truths)) drawn.push(await drawGlb(context.viewer, camera));
  return { ...judge(drawn, truths), drawn };
}

function showField(bytes: Uint8Array, mesh: readonly Drawn[], landmarks: Float32Array, truths: readonly Truth[]): Shown {
  using field = Field.load(bytes);
  return judge(
    cameras(landmarks, truths).map((camera, i) => drawField(field, camera, mesh[i]!)),
    truths,
  );
}

function cameras(landmarks: Float32Array, truths: readonly Truth[]) {
  const laid = similarityOf(truthLandmarks(truths[0]!.photo.identity), landmarks);
  return truths.map(({ photo }) => throughSimilarity(photo.camera, laid));
}

function judge(drawn: readonly Drawn[], truths: readonly Truth[]): Shown {
  const light = lightOf(drawn[0]!, truths[0]!);
  const judged = truths.map((truth, i) => scoreOf(drawn[i]!, truth, light, exposedLonger(truth, truths[0]!)));
  return { scores: judged.map(({ score }) => score), pictures: judged.map(({ lit }) => beforeGrey(lit)) };
}

function line(yaw: number, glb: Score, field: Score, meanHead: Score): string {
  const values = [glb.psnr, field.psnr, meanHead.psnr].map((value) => value.toFixed(1));
  return `${yaw}° ${values.join(' / ')} dB, IoU ${glb.iou.toFixed(3)} / ${field.iou.toFixed(3)}`;
}

function rowsOf(results: readonly PersonViews[], { people, quality }: Context): Row[] {
  const rows: Row[] = [];
  const what = `${results.length} of ${people} synthetic people, one photo each, ${quality}`;
  const at = (turn: number, pick: (views: PersonViews) => readonly Score[], value: (score: Score) => number): number =>
    mean(results.flatMap((views) => YAWS.flatMap((yaw, i) => (Math.abs(yaw) === turn ? [value(pick(views)[i]!)] : []))));
  for (const { turn, psnr, iou } of BOUNDS) {
    const where = `${what}, yaw ${turn === 0 ? '' : '±'}${turn}°`;
    for (const [name, pick] of [
      ['GLB', (views: PersonViews) => views.glb],
      ['field', (views: PersonViews) => views.field],
    ] as const) {
      const lit = at(turn, pick, (score) => score.psnr);
      rows.push(row(`head of the ${name}`, where, lit, 'dB', `${psnr} dB, lit as the photo`, lit / psnr, 1));
      const raw = at(turn, pick, (score) => score.psnrRaw);
      rows.push(row(`head of the ${name}, in no light`, where, raw, 'dB', `${psnr} dB`, raw / psnr, null));
      const both = at(turn, pick, (score) => score.psnrBoth);
      rows.push(row(`head of the ${name}, where both show it`, where, both, 'dB', `${psnr} dB, lit`, both / psnr, null));
      const overlap = at(turn, pick, (score) => score.iou);
      rows.push(row(`silhouette of the ${name}`, where, overlap, 'IoU', `${iou}`, overlap / iou, 1));
    }
    const least = at(
      turn,
      (views) => views.meanHead,
      (score) => score.psnr,
    );
    for (const [name, pick] of [
      ['GLB', (views: PersonViews) => views.glb],
      ['field', (views: PersonViews) => views.field],
    ] as const) {
      const gain = at(turn, pick, (score) => score.psnr) - least;
      const reach = turn === 30 && name === 'GLB' ? 1 : null;
      const against = `${MARGIN} dB above the mean head (${least.toFixed(2)} dB)`;
      rows.push(row(`${name} above the mean head`, where, gain, 'dB', against, gain / MARGIN, reach));
    }
    for (const region of REGIONS) {
      const rmse = regionError(results, turn, region);
      if (rmse !== null) rows.push(row(`error in ${region}`, where, rmse.rmse, 'of 255', rmse.share, 1, null));
    }
  }
  const again = mean(results.map(({ glb }) => glb.at(-1)!.psnr));
  rows.push(row('the input photo itself', what, again, 'dB', 'counts for nothing', 1, null));
  return rows;
}

function regionError(results: readonly PersonViews[], turn: number, region: Region): { rmse: number; share: string } | null {
  const found = results.flatMap(({ glb }) =>
    YAWS.flatMap((yaw, i) => (Math.abs(yaw) === turn ? (glb[i]!.regions[region] ?? []) : [])),
  );
  if (found.length === 0) return null;
  const square = mean(found.map(({ rmse }) => rmse * rmse));
  return { rmse: Math.sqrt(square), share: `${(100 * mean(found.map(({ share }) => share))).toFixed(0)} % of the head` };
}
