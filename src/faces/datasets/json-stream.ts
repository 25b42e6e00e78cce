import { createReadStream } from 'node:fs';
import { DafError } from '../../core/contracts/errors.js';

const MAX_ENTRY = 1 << 20;

/**
 * The members of one large JSON object, `{"key": value, …}`, one at a time, so that a file of hundreds of megabytes is never held. Values are
 * objects.
 * @throws DafError ERR_DAF_BAD_DATA: it is no such object, ends too soon, or has a member of more than 1 MB.
 */
export async function* jsonMembers(file: string): AsyncGenerator<{ key: string; value: Record<string, unknown> }> {
  let text = '';
  let depth = 0;
  let inString = false;
  let escaped = false;
  const bad = (why: string): DafError => new DafError('ERR_DAF_BAD_DATA', `${file}: ${why}`, { hint: 'fetch it again' });
  let closed = false;
  const stream = createReadStream(file, { encoding: 'utf8' });
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      let start = 0;
      for (let i = 0; i < chunk.length; i++) {
        const c = chunk.charCodeAt(i);
        if (inString) {
          if (escaped) escaped = false;
          else if (c === 0x5c) escaped = true;
          else if (c === 0x22) inString = false;
        } else if (c === 0x22) inString = true;
        else if (c === 0x7b || c === 0x5b) {
          if (depth === 0) {
            if (c !== 0x7b || closed || (text + chunk.slice(start, i)).trim() !== '') throw bad('is not one JSON object');
            text = '';
            start = i + 1;
          }
          depth += 1;
        } else if (c === 0x7d || c === 0x5d) {
          depth -= 1;
          if (depth === 1) {
            yield member(text + chunk.slice(start, i + 1), bad);
            text = '';
            start = i + 1;
          } else if (depth === 0) {
            if ((text + chunk.slice(start, i)).trim() !== '') throw bad('has a member that is no object');
            closed = true;
            text = '';
            start = i + 1;
          } else if (depth < 0) throw bad('closes more than it opens');
        }
      }
      text += chunk.slice(start);
      if (text.length > MAX_ENTRY) throw bad('has a member of more than 1 MB');
    }
  } catch (cause) {
    throw DafError.from(cause, 'ERR_DAF_IO');
  } finally {
    stream.destroy();
  }
  if (!closed || text.trim() !== '') throw bad(closed ? 'goes on after its end' : 'ends too soon');
}

function member(text: string, bad: (why: string) => DafError): { key: string; value: Record<string, unknown> } {
  try {
    const object = JSON.parse(`{${text.replace(/^\s*,/, '')}}`) as Record<string, unknown>;
    const [[key, value] = [], ...more] = Object.entries(object);
    if (key !== undefined && more.length === 0 && typeof value === 'object' && value !== null) {
      return { key, value: value as Record<string, unknown> };
    }
  } catch {
    // Told below.
  }
  throw bad(`has a damaged member near ${JSON.stringify(text.trim().slice(0, 40))}`);
}
