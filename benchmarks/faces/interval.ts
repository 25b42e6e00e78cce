/** A mean with the middle 95 % of means that resampled values give. */
export interface Interval {
  readonly count: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2000;

/** Percentile bootstrap (Efron 1979); the same values give the same interval. Null for no values. */
export function bootstrap(values: readonly number[]): Interval | null {
  if (values.length === 0) return null;
  let state = 0x2545f491;
  const next = (): number => {
    // Xorshift (Marsaglia 2003).
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const means = Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; ++i) sum += values[Math.floor(next() * values.length)]!;
    return sum / values.length;
  }).sort((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    count: values.length,
    mean,
    low: means[Math.round(0.025 * (RESAMPLES - 1))]!,
    high: means[Math.round(0.975 * (RESAMPLES - 1))]!,
  };
}
