import type { Params } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import { checkKeys } from '../../core/options/index.js';
import { defineJob } from './define.js';

const compiled = new Map<string, RegExp>();

/** Lines that match `--param pattern=…` (a JavaScript regular expression; `--param flags=i`), keyed by `file:offset`. */
export default defineJob({
  name: 'grep',
  module: import.meta.url,
  text: true,
  check: (params) => {
    checkKeys('grep', params, ['pattern', 'flags']);
    pattern(params);
  },
  map({ value, source, offset }, emit, context) {
    if (pattern(context.params).test(value)) emit(`${source}:${offset}`, value);
  },
});

function pattern(params: Params): RegExp {
  const text = params['pattern'];
  if (text === undefined) {
    throw new DafError('ERR_DAF_BAD_OPTION', 'grep needs a pattern', { hint: '--param pattern=REGEXP' });
  }
  const key = `${params['flags'] ?? ''}/${text}`;
  let found = compiled.get(key);
  if (found === undefined) {
    found = compile(text, (params['flags'] ?? '').replace(/[gy]/g, ''));
    compiled.set(key, found);
  }
  return found;
}

function compile(text: string, flags: string): RegExp {
  try {
    return new RegExp(text, flags);
  } catch (cause) {
    throw new DafError('ERR_DAF_BAD_OPTION', `grep: pattern ${JSON.stringify(text)}: ${(cause as Error).message}`, {
      hint: 'a JavaScript regular expression; flags: i, m, s, u, v',
      cause,
    });
  }
}
