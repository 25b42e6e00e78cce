import { bootstrap, type Interval } from '../faces/interval.js';
import { type Row, row } from '../row.js';
import { mean } from './context.js';
import type { Score } from './score.js';
import { REGIONS, type Region, YAWS } from './truth.js';

/** A synthetic person: scores at YAWS, then of the photo that was given. */
export interface PersonViews {
  readonly person: number;
  readonly glb: readonly Score[];
  readonly field: readonly Score[];
  readonly meanHead: readonly Score[];
}

/** Least PSNR (dB) and silhouette overlap by the size of the turn, degrees. */
const BOUNDS = [
  { turn: 0, psnr: 24, iou: 0.95 },
  { turn: 30, psnr: 21, iou: 0.92 },
  { turn: 60, psnr: 18, iou: 0.88 },
] as const;
/** How much better than the mean head, dB, and at which turn. */
const MARGIN = { turn: 30, psnr: 2 } as const;

/** @param what people and quality, for readers. */
export function viewRows(results: readonly PersonViews[], what: string): Row[] {
  const rows: Row[] = [];
  for (const bound of BOUNDS) {
    const where = `${what}, yaw ${bound.turn === 0 ? '' : '±'}${bound.turn}°`;
    /** One value a person, the mean of both sides. */
    const over = (value: (views: PersonViews, i: number) => number): Interval =>
      bootstrap(results.map((views) => mean(YAWS.flatMap((yaw, i) => (Math.abs(yaw) === bound.turn ? [value(views, i)] : [])))))!;
    for (const [name, key] of FILES) {
      const add = (question: string, unit: string, found: Interval, least: number, light: string, aims: boolean): void => {
        const against = `${least} ${unit}${light} (95 % ${found.low.toFixed(3)} to ${found.high.toFixed(3)})`;
        rows.push(row(question, where, found.mean, unit, against, found.mean / least, aims ? 1 : null));
      };
      const of = (pick: (score: Score) => number) => over((views, i) => pick(views[key][i]!));
      add(
        `head of the ${name}`,
        'dB',
        of((score) => score.psnr),
        bound.psnr,
        ', lit as the photo',
        true,
      );
      add(
        `head of the ${name}, in no light`,
        'dB',
        of((score) => score.psnrRaw),
        bound.psnr,
        '',
        false,
      );
      add(
        `head of the ${name}, where both show it`,
        'dB',
        of((score) => score.psnrBoth),
        bound.psnr,
        ', lit as the photo',
        false,
      );
      add(
        `silhouette of the ${name}`,
        'IoU',
        of((score) => score.iou),
        bound.iou,
        '',
        true,
      );
      const gain = over((views, i) => views[key][i]!.psnr - views.meanHead[i]!.psnr);
      add(`${name} above the mean head`, 'dB', gain, MARGIN.psnr, ', lit as the photo', bound.turn === MARGIN.turn);
    }
    for (const region of REGIONS) rows.push(...regionRow(results, bound.turn, region, where));
  }
  const again = mean(results.map(({ glb }) => glb.at(-1)!.psnr));
  rows.push(row('the input photo itself', what, again, 'dB', 'counts for nothing', 1, null));
  return rows;
}

const FILES = [
  ['GLB', 'glb'],
  ['field', 'field'],
] as const;

function regionRow(results: readonly PersonViews[], turn: number, region: Region, where: string): Row[] {
  const found = results.flatMap(({ glb }) =>
    YAWS.flatMap((yaw, i) => (Math.abs(yaw) === turn ? (glb[i]!.regions[region] ?? []) : [])),
  );
  if (found.length === 0) return [];
  const rmse = Math.sqrt(mean(found.map((each) => each.rmse * each.rmse)));
  const share = `${(100 * mean(found.map((each) => each.share))).toFixed(0)} % of the head`;
  return [row(`error of the GLB in ${region}`, where, rmse, 'of 255', share, 1, null)];
}
