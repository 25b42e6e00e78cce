import { createHash } from 'node:crypto';
import t from 'tap';
import { addon } from './index.js';

const expected = (text: string): number => createHash('sha256').update(text).digest().readUInt32LE(0);

t.test(
  'sha256Start is as the library has it, at every length around the ends of blocks and of the room for short texts',
  async (t) => {
    for (const letter of ['a', 'é', '😀', '\ud800']) {
      for (let length = 0; length < 600; length++) {
        const text = letter.repeat(length);
        t.equal(addon().sha256Start(text), expected(text), `${length} of ${letter}`);
      }
    }
    const long = 'x'.repeat(100_000);
    t.equal(addon().sha256Start(long), expected(long));
  },
);

t.test('sha256Start takes texts only', async (t) => {
  t.throws(() => addon().sha256Start(5 as never), { code: 'ERR_DAF_BAD_ARGUMENT' });
});
