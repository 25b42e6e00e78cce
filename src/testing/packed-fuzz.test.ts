import t from 'tap';
import { fuzzPacked } from './packed-fuzz.js';

t.test('mutated gzip and zstd files are read as they are or refused', async (t) => {
  const { files, read, refused } = await fuzzPacked(1, performance.now() + 2000);
  t.ok(read > 0 && refused > 0, `${files} files, ${read} read, ${refused} refused`);
});
