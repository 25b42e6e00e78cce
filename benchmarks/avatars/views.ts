import { join } from 'node:path';
import { Field } from '#daf/fields/index.js';
import { similarityOf, throughSimilarity } from '#daf/testing/likeness/similarity.js';
import { exportedOf, landmarksOf, makeAvatars, syntheticName, writeSynthetic } from './built.js';
import type { Context, PartResult } from './context.js';
import { meanHeadGlb } from './mean-head.js';
import { beforeGrey, type Drawn, drawField, drawGlb } from './picture.js';
import { lightOf, outlinePicture, type Score, scoreOf } from './score.js';
import { writeSheet } from './sheet.js';
import { exposedLonger, type Truth, truthAt, truthLandmarks, truthOf, YAWS } from './truth.js';
import { type PersonViews, viewRows } from './view-rows.js';

/** One way to show a person. */
export interface Shown {
  readonly scores: readonly Score[];
  /** [pixels][3] of each view, lit, before grey. */
  readonly pictures: readonly Uint8Array[];
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
  if (results.length === 0) return { rows: [], details: results };
  const what = `${results.length} of ${context.people} synthetic people, one photo each, ${context.quality}`;
  return { rows: viewRows(results, what), details: results };
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
