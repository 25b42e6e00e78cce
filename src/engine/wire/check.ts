import { DafError } from '../../core/contracts/errors.js';

/**
 * What is wrong with a value, null when nothing is. The answer begins with where within the value: `.member`, `[3]`, or nothing for the value
 * itself. No path is built for what is right: there are millions of such values.
 */
export type Check = (value: unknown) => string | null;

/** @throws DafError ERR_DAF_PROTOCOL unless the value has the shape; `name` is what the message calls it */
export function mustBe(check: Check, value: unknown, name: string): void {
  const why = check(value);
  if (why !== null) throw new DafError('ERR_DAF_PROTOCOL', name + why);
}

/** A string of at most `max` UTF-16 units; with `pattern` it must match. */
export function text(max: number, pattern?: RegExp): Check {
  const wrong = `: expected ${pattern === undefined ? `a string of at most ${max} characters` : `a string like ${pattern}`}`;
  return (value) =>
    typeof value === 'string' && value.length <= max && (pattern === undefined || pattern.test(value)) ? null : wrong;
}

export function literal(expected: string): Check {
  return (value) => (value === expected ? null : `: expected "${expected}"`);
}

export function oneOf(...allowed: readonly string[]): Check {
  const wrong = `: expected one of ${allowed.join(', ')}`;
  return (value) => (typeof value === 'string' && allowed.includes(value) ? null : wrong);
}

export function whole(low = 0, high = Number.MAX_SAFE_INTEGER): Check {
  const wrong = `: expected a whole number ≥ ${low}, ≤ ${high}`;
  // -0 would be another key in the state than 0.
  const fits = (value: number): boolean => value >= low && value <= high && !Object.is(value, -0);
  return (value) => (Number.isSafeInteger(value) && fits(value as number) ? null : wrong);
}

export function finite(low = -Number.MAX_VALUE, high = Number.MAX_VALUE): Check {
  const wrong = `: expected a number from ${low} to ${high}`;
  return (value) => (typeof value === 'number' && value >= low && value <= high ? null : wrong);
}

export const flag: Check = (value) => (typeof value === 'boolean' ? null : ': expected true or false');

export function nullable(check: Check): Check {
  return (value) => (value === null ? null : check(value));
}

export function list(check: Check, max: number): Check {
  const wrong = `: expected a list of at most ${max}`;
  return (value) => {
    if (!Array.isArray(value) || value.length > max) return wrong;
    for (let i = 0; i < value.length; i++) {
      const why = check(value[i]);
      if (why !== null) return `[${i}]${why}`;
    }
    return null;
  };
}

/** Exactly these members in this order of checking. */
export function pair(first: Check, second: Check): Check {
  return (value) => {
    if (!Array.isArray(value) || value.length !== 2) return ': expected a pair';
    const why = first(value[0]);
    if (why !== null) return `[0]${why}`;
    const then = second(value[1]);
    return then === null ? null : `[1]${then}`;
  };
}

/** A plain object; members not named are ignored, so that a later protocol can add some. */
export function record(members: Readonly<Record<string, Check>>): Check {
  const all = Object.entries(members);
  return (value) => {
    if (!isObject(value)) return ': expected an object';
    for (const [name, check] of all) {
      const why = check(value[name]);
      if (why !== null) return `.${name}${why}`;
    }
    return null;
  };
}

/** An object used as a dictionary. The one name that no decoder of msgpack gives back is refused. */
export function dictionary(check: Check, maxEntries: number, maxKey: number): Check {
  return (value) => {
    if (!isObject(value)) return ': expected an object';
    const keys = Object.keys(value);
    if (keys.length > maxEntries) return `: expected at most ${maxEntries} entries`;
    for (const key of keys) {
      if (key === '__proto__') return ': expected other keys than __proto__';
      if (key.length > maxKey) return `: expected keys of at most ${maxKey} characters`;
      const why = check(value[key]);
      if (why !== null) return `.${key}${why}`;
    }
    return null;
  };
}

/** An object whose member `tag` chooses its shape. */
export function variant(tag: string, shapes: Readonly<Record<string, Check>>): Check {
  const named = new Map(Object.entries(shapes));
  return (value) => {
    if (!isObject(value)) return ': expected an object';
    const shape = named.get(String(value[tag]));
    return shape === undefined ? `.${tag}: expected one of ${[...named.keys()].join(', ')}` : shape(value);
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
