import { applySimilarity, similarityOf } from '#daf/testing/likeness/similarity.js';
import { row } from '../row.js';
import { exportedOf, syntheticName } from './built.js';
import { type Context, mean, type PartResult } from './context.js';
import type { Score } from './score.js';
import { truthAt, truthLandmarks, truthOf } from './truth.js';
import { showMesh, syntheticAvatars } from './views.js';

/** Photos given; each more holds those before. */
const GIVEN = [1, 3, 5] as const;
/** The demo's photo that nobody is given: from the other side than the last one given. */
const HELD = 5;

interface Held {
  readonly person: number;
  /** Of GIVEN. */
  readonly scores: readonly Score[];
  /** Mean distance of the 68 landmarks from the truth once laid on it, mm. */
  readonly millimetres: readonly number[];
}

/** Is a view that was not given shown better by an avatar of more photos? */
export async function evaluateMorePhotos(context: Context): Promise<PartResult> {
  const made: string[] = [];
  for (const count of GIVEN) made.push(await syntheticAvatars(context, count));
  const results: Held[] = [];
  for (let person = 0; person < context.people; ++person) {
    const truths = [truthAt(person, HELD, 0), truthOf(person, HELD, { expression: 0 })];
    const scores: Score[] = [];
    const millimetres: number[] = [];
    for (const [k, count] of GIVEN.entries()) {
      const exported = await exportedOf(made[k]!, syntheticName(person, count));
      if (exported === null) continue;
      scores.push((await showMesh(context, exported.glb, exported.landmarks, truths)).scores[1]!);
      millimetres.push(landmarkError(truths[0]!.photo.identity, exported.landmarks));
    }
    if (scores.length < GIVEN.length) {
      context.log(`${syntheticName(person, 1)}: not all avatars are there`);
      continue;
    }
    results.push({ person, scores, millimetres });
    context.log(
      `person ${person + 1}: ${GIVEN.map((count, i) => `${count}: ${scores[i]!.psnr.toFixed(2)} dB, ${millimetres[i]!.toFixed(2)} mm`).join('; ')}`,
    );
  }
  if (results.length === 0) return { rows: [], details: results };
  const what = `${results.length} of ${context.people} synthetic people, one view held out, ${context.quality}`;
  const error = GIVEN.map((_, k) => mean(results.map(({ scores }) => 255 * 10 ** (-scores[k]!.psnr / 20))));
  const away = GIVEN.map((_, k) => mean(results.map(({ millimetres }) => millimetres[k]!)));
  const rows = [1, 2].flatMap((k) => {
    const [fewer, more] = [GIVEN[k - 1]!, GIVEN[k]!];
    const better = error[k - 1]! / error[k]!;
    return [
      row(`error with ${more} photos`, what, error[k]!, 'of 255', `${error[k - 1]!.toFixed(2)} with ${fewer}`, better, 1 + 1e-9),
      row(
        `landmarks with ${more} photos`,
        what,
        away[k]!,
        'mm',
        `${away[k - 1]!.toFixed(2)} mm with ${fewer}`,
        away[k - 1]! / away[k]!,
        null,
      ),
    ];
  });
  return { rows, details: results };
}

function landmarkError(identity: Float32Array, found: Float32Array): number {
  const truth = truthLandmarks(identity);
  const laid = applySimilarity(similarityOf(found, truth), found);
  return mean(
    Array.from(
      { length: 68 },
      (_, i) =>
        10 * Math.hypot(laid[3 * i]! - truth[3 * i]!, laid[3 * i + 1]! - truth[3 * i + 1]!, laid[3 * i + 2]! - truth[3 * i + 2]!),
    ),
  );
}
