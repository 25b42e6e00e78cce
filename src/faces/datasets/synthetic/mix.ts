import { Draws } from './random.js';

/** Square photos of so many pixels a side, and variants of them. */
export const CATEGORIES = ['2048', '1024', '512', 'variant'] as const;
export type Category = (typeof CATEGORIES)[number];

/**
 * What the photos of a person are, over and over: shares are those of the pattern. A variant is made of a photo before it, so every person
 * can be made alone, and small counts see all categories.
 */
const MIXES = {
  'private-synthetic': ['512', '1024', '2048', 'variant', '512', '1024', '512', '1024', '512', 'variant'],
} as const satisfies Readonly<Record<string, readonly Category[]>>;

export type MixName = keyof typeof MIXES;
export const MIX_NAMES = Object.keys(MIXES) as MixName[];

/** Photos of a person; the last one of a set may have fewer. */
export function photosPerPerson(mix: MixName): number {
  return MIXES[mix].length;
}

/** What a set is made from: the same gives the same bytes. */
export interface SetOptions {
  readonly mix: MixName;
  /** 0…2⁴⁸ */
  readonly seed: number;
  /** Photos. */
  readonly count: number;
  /** Sides of all photos times this: 1, 0.5, 0.25 or 0.125. */
  readonly scale: number;
}

export interface PlannedPhoto {
  /** Which of the person's photos, from 0. */
  readonly index: number;
  readonly category: Category;
  /** Pixels; of a variant those of its source, which it may crop. */
  readonly side: number;
  /** Of a variant: the photo it is made of. */
  readonly source: number | null;
}

export function peopleOf({ mix, count }: SetOptions): number {
  return Math.ceil(count / photosPerPerson(mix));
}

/** The photos of a person, sources before their variants. */
export function planPerson(set: SetOptions, person: number): PlannedPhoto[] {
  const pattern: readonly Category[] = MIXES[set.mix];
  const draws = new Draws(set.seed, person, 1);
  const planned: PlannedPhoto[] = [];
  const count = Math.min(pattern.length, set.count - person * pattern.length);
  for (const [index, category] of pattern.slice(0, count).entries()) {
    if (category !== 'variant') {
      planned.push({ index, category, side: Number(category) * set.scale, source: null });
      continue;
    }
    const rendered = planned.filter(({ source }) => source === null);
    const { index: source, side } = rendered[draws.below(rendered.length)]!;
    planned.push({ index, category, side, source });
  }
  return planned;
}

/** How many photos of each category a set has. */
export function countsOf(set: SetOptions): Record<Category, number> {
  const pattern: readonly Category[] = MIXES[set.mix];
  const counts = { '2048': 0, '1024': 0, '512': 0, variant: 0 };
  const whole = Math.floor(set.count / pattern.length);
  for (const [i, category] of pattern.entries()) counts[category] += whole + (i < set.count % pattern.length ? 1 : 0);
  return counts;
}
