import t from 'tap';
import { anonymousBytes, PeakSampler } from './memory-sample.js';

t.test('the peak sees memory that was held for a moment', async (t) => {
  const sampler = new PeakSampler();
  t.teardown(() => sampler.close());
  const before = sampler.sample();
  t.ok(before > 1 << 20);
  let held: Buffer | null = Buffer.alloc(96 << 20, 1);
  await new Promise((resolve) => setTimeout(resolve, 120));
  t.ok(held.length > 0);
  held = null;
  t.ok(sampler.peak >= before + (80 << 20), `${before} → ${sampler.peak}`);
  t.ok(sampler.window() >= before + (80 << 20));
});

t.test('other processes', async (t) => {
  const own = anonymousBytes(process.pid);
  t.ok(own !== null && own > 1 << 20);
  t.equal(anonymousBytes(2 ** 22 + 1), null);
});
