import { createHash } from 'node:crypto';
import t from 'tap';
import { shortSha256Start } from './sha256.js';

t.test('as the library has it, at every length around the ends of blocks', async (t) => {
  for (const letter of ['a', 'é', '😀']) {
    for (let length = 0; length < 200; length++) {
      const text = letter.repeat(length);
      t.equal(shortSha256Start(text), createHash('sha256').update(text).digest().readUInt32LE(0), `${length} of ${letter}`);
    }
  }
});

t.test('a text that is not short is refused', async (t) => {
  t.throws(() => shortSha256Start('x'.repeat(20_000)), { code: 'ERR_DAF_BAD_ARGUMENT' });
});
