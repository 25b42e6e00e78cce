import { type Addon, addon } from '../core/addon/index.js';
import { DafError } from '../core/contracts/errors.js';

/** Calls the addon. Native errors carry DAF's codes; here they become DafErrors. */
export function native<T>(call: (daf: Addon) => T): T {
  const daf = addon();
  try {
    return call(daf);
  } catch (error) {
    throw DafError.from(error);
  }
}
