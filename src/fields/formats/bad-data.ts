import { DafError } from '../../core/contracts/errors.js';

/** A file that does not say what it should. */
export function badData(message: string, hint?: string): DafError {
  return new DafError('ERR_DAF_BAD_DATA', message, { hint });
}
