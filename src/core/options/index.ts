import { DafError } from '../contracts/errors.js';
import { suggest } from './suggest.js';

export { suggest } from './suggest.js';

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40 };
const TIMES: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Bytes from a number or from `"512MB"`, `"1.5 GB"`, `"64k"`. MB is 2^20 bytes (MiB is the same).
 * @throws DafError ERR_DAF_BAD_OPTION naming the option.
 */
export function parseBytes(name: string, value: unknown, low = 1, high = Number.MAX_SAFE_INTEGER): number {
  const match = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*(b|[kmgt]i?b?)?\s*$/i.exec(value) : null;
  const unit = (match?.[2] ?? '').toLowerCase().replace('i', '');
  const bytes =
    typeof value === 'number'
      ? value
      : match === null
        ? Number.NaN
        : Number(match[1]) * UNITS[/^[kmgt]$/.test(unit) ? `${unit}b` : unit]!;
  const whole = Math.floor(bytes);
  if (!Number.isSafeInteger(whole)) throw bad(name, value, 'a size such as "512MB" (MB = 2^20 bytes) or a number of bytes');
  if (whole < low || whole > high) throw bad(name, value, `a size from ${formatBytes(low)} to ${formatBytes(high)}`);
  return whole;
}

/** `536870912` → `512 MB`; for people. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'KB', 'MB', 'GB']) {
    if (value < 1024) return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${unit}`;
    value /= 1024;
  }
  return `${Number(value.toFixed(1))} TB`;
}

/**
 * Milliseconds from a number of them or from `"250ms"`, `"5s"`, `"2m"`, `"1h"`.
 * @throws DafError ERR_DAF_BAD_OPTION naming the option.
 */
export function parseDuration(name: string, value: unknown, low = 0, high = Number.MAX_SAFE_INTEGER): number {
  const match = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\s*$/i.exec(value) : null;
  const ms =
    typeof value === 'number' ? value : match === null ? Number.NaN : Number(match[1]) * TIMES[(match[2] ?? '').toLowerCase()]!;
  if (!Number.isFinite(ms)) throw bad(name, value, 'a duration such as "5s" or a number of milliseconds');
  if (ms < low || ms > high) throw bad(name, value, `a duration from ${low} ms to ${high} ms`);
  return ms;
}

/** @throws DafError ERR_DAF_BAD_OPTION naming the option. */
export function parseWhole(name: string, value: unknown, low: number, high: number): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < low || number > high) {
    throw bad(name, value, `a whole number from ${low} to ${high}`);
  }
  return number;
}

/** @throws DafError ERR_DAF_BAD_OPTION naming the option. */
export function parseChoice<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw bad(name, value, choices.join(' or '));
  return found;
}

/**
 * Refuses options that do not exist, instead of ignoring a misspelling.
 * @param what whose options they are, e.g. `Cluster.local`
 */
export function checkKeys(what: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = suggest(key, known);
    throw new DafError('ERR_DAF_BAD_OPTION', `${what}: there is no option "${key}"`, {
      hint: near === undefined ? `known options: ${known.join(', ')}` : `did you mean "${near}"?`,
    });
  }
}

function bad(name: string, value: unknown, expected: string): DafError {
  return new DafError('ERR_DAF_BAD_OPTION', `${name}: ${JSON.stringify(value) ?? String(value)}; expected ${expected}`);
}
