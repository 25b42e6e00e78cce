import { DafError } from '../../core/contracts/errors.js';

/** Throws ERR_DAF_PROTOCOL unless the value has the shape; `path` says where. */
export type Check = (value: unknown, path: string) => void;

function wrong(path: string, expected: string): never {
  throw new DafError('ERR_DAF_PROTOCOL', `${path}: expected ${expected}`);
}

/** A string of at most `max` UTF-16 units; with `pattern` it must match. */
export function text(max: number, pattern?: RegExp): Check {
  return (value, path) => {
    if (typeof value !== 'string' || value.length > max || (pattern !== undefined && !pattern.test(value))) {
      wrong(path, pattern === undefined ? `a string of at most ${max} characters` : `a string like ${pattern}`);
    }
  };
}

export function literal(expected: string): Check {
  return (value, path) => {
    if (value !== expected) wrong(path, `"${expected}"`);
  };
}

export function oneOf(...allowed: readonly string[]): Check {
  return (value, path) => {
    if (typeof value !== 'string' || !allowed.includes(value)) wrong(path, `one of ${allowed.join(', ')}`);
  };
}

export function whole(low = 0, high = Number.MAX_SAFE_INTEGER): Check {
  return (value, path) => {
    if (!Number.isSafeInteger(value) || (value as number) < low || (value as number) > high)
      wrong(path, `a whole number ≥ ${low}, ≤ ${high}`);
  };
}

export function finite(low = -Number.MAX_VALUE, high = Number.MAX_VALUE): Check {
  return (value, path) => {
    if (typeof value !== 'number' || !(value >= low && value <= high)) wrong(path, `a number from ${low} to ${high}`);
  };
}

export const flag: Check = (value, path) => {
  if (typeof value !== 'boolean') wrong(path, 'true or false');
};

export function nullable(check: Check): Check {
  return (value, path) => {
    if (value !== null) check(value, path);
  };
}

export function list(check: Check, max: number): Check {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > max) wrong(path, `a list of at most ${max}`);
    for (let i = 0; i < value.length; i++) check(value[i], `${path}[${i}]`);
  };
}

/** Exactly these members in this order of checking. */
export function pair(first: Check, second: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value) || value.length !== 2) wrong(path, 'a pair');
    first(value[0], `${path}[0]`);
    second(value[1], `${path}[1]`);
  };
}

/** A plain object; members not named are ignored, so that a later protocol can add some. */
export function record(members: Readonly<Record<string, Check>>): Check {
  const names = Object.keys(members);
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(path, 'an object');
    for (const name of names) members[name]!((value as Record<string, unknown>)[name], `${path}.${name}`);
  };
}

/** An object used as a dictionary. */
export function dictionary(check: Check, maxEntries: number, maxKey: number): Check {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(path, 'an object');
    const keys = Object.keys(value);
    if (keys.length > maxEntries) wrong(path, `at most ${maxEntries} entries`);
    for (const key of keys) {
      if (key.length > maxKey) wrong(path, `keys of at most ${maxKey} characters`);
      check((value as Record<string, unknown>)[key], `${path}.${key}`);
    }
  };
}

/** An object whose member `tag` chooses its shape. */
export function variant(tag: string, shapes: Readonly<Record<string, Check>>): Check {
  const names = new Map(Object.entries(shapes));
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(path, 'an object');
    const shape = names.get(String((value as Record<string, unknown>)[tag]));
    if (shape === undefined) wrong(`${path}.${tag}`, `one of ${[...names.keys()].join(', ')}`);
    shape(value, path);
  };
}
