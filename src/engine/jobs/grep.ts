import { DafError } from '../../core/contracts/errors.js';
import { defineJob } from './define.js';

const compiled = new Map<string, RegExp>();

/** Lines that match `--param pattern=…` (a JavaScript regular expression; `--param flags=i`), keyed by `file:offset`. */
export default defineJob({
  name: 'grep',
  module: import.meta.url,
  text: true,
  map({ value, source, offset }, emit, context) {
    if (pattern(context.params).test(value)) emit(`${source}:${offset}`, value);
  },
});

function pattern(params: Readonly<Record<string, string>>): RegExp {
  const text = params['pattern'];
  if (text === undefined) {
    throw new DafError('ERR_DAF_BAD_OPTION', 'grep needs a pattern', { hint: '--param pattern=REGEXP' });
  }
  const key = `${params['flags'] ?? ''}/${text}`;
  let found = compiled.get(key);
  if (found === undefined) {
    found = new RegExp(text, (params['flags'] ?? '').replace(/[gy]/g, ''));
    compiled.set(key, found);
  }
  return found;
}
