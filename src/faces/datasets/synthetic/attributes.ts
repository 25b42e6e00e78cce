import type { Looks } from '../../../core/addon/index.js';

/** Years at age 0 and 1 of Looks. */
const YOUNGEST = 20;
const OLDEST = 75;

/** What a person looks like, in words and numbers that lists of photos may carry. */
export interface Attributes {
  readonly ageYears: number;
  /** −1 feminine … 1 masculine */
  readonly masculine: number;
  /** 0.05 palest … 2 */
  readonly melanin: number;
  /** 0…1 each */
  readonly freckles: number;
  readonly stubble: number;
  readonly grey: number;
  readonly lipColour: number;
  readonly browDensity: number;
  readonly moles: number;
  readonly hairStyle: Looks['style'];
}

export function attributesOf(looks: Looks): Attributes {
  const { masculine, melanin, freckles, stubble, grey, lipColour, browDensity, moles, style } = looks;
  return {
    ageYears: rounded(YOUNGEST + (OLDEST - YOUNGEST) * looks.age),
    masculine: rounded(masculine),
    melanin: rounded(melanin),
    freckles: rounded(freckles),
    stubble: rounded(stubble),
    grey: rounded(grey),
    lipColour: rounded(lipColour),
    browDensity: rounded(browDensity),
    moles,
    hairStyle: style,
  };
}

function rounded(value: number): number {
  return Math.round(1000 * value) / 1000;
}

/** Of a number: least, mean and greatest, and how many people lie in each tenth of the way between. */
export interface Spread {
  readonly least: number;
  readonly mean: number;
  readonly greatest: number;
  readonly tenths: readonly number[];
}

/** How many people have what. */
export function distributionOf(people: readonly Attributes[]): Record<string, Spread | Record<string, number>> {
  const names = Object.keys(people[0]!) as (keyof Attributes)[];
  return Object.fromEntries(
    names.map((name) => {
      const values = people.map((each) => each[name]);
      return [name, typeof values[0] === 'number' ? spreadOf(values as number[]) : tallyOf(values.map(String))];
    }),
  );
}

function spreadOf(values: readonly number[]): Spread {
  let [least, greatest, sum] = [Infinity, -Infinity, 0];
  for (const value of values) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
    sum += value;
  }
  const tenths = new Array<number>(10).fill(0);
  for (const value of values) tenths[Math.min(9, Math.floor((10 * (value - least)) / (greatest - least || 1)))]! += 1;
  return { least, mean: rounded(sum / values.length), greatest, tenths };
}

function tallyOf(values: readonly string[]): Record<string, number> {
  const tally: Record<string, number> = {};
  for (const value of [...values].sort()) tally[value] = (tally[value] ?? 0) + 1;
  return tally;
}
