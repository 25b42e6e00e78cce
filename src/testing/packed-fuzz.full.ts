import t from 'tap';
import { fuzzPacked } from './packed-fuzz.js';

const SECONDS = 60;
/** `DAF_FUZZ_SEED=n` begins with another one. */
const seed = Number(process.env['DAF_FUZZ_SEED'] ?? 2);

// The decoders are Node's zlib and a WebAssembly module, which cannot leave its memory: what is looked for here are wrong lines, endless
// loops, and errors that do not say what is wrong.
t.test('a minute of mutated gzip and zstd files', { timeout: 120_000 }, async (t) => {
  const before = process.memoryUsage().rss;
  const { files, read, refused } = await fuzzPacked(seed, performance.now() + 1000 * SECONDS);
  t.ok(files > 1000 && read > 100 && refused > 100, `${files} files, ${read} read, ${refused} refused`);
  t.comment(`memory grew by ${Math.round((process.memoryUsage().rss - before) / 2 ** 20)} MB`);
});
