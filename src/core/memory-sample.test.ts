import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

t.test("children's private memory counts", async (t) => {
  const hold = 'const held = Buffer.alloc(64 << 20, 1); console.log(held.length); setInterval(() => held, 1000)';
  const child = spawn(process.execPath, ['-e', hold], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill());
  await once(child.stdout, 'data');
  const alone = new PeakSampler();
  const both = new PeakSampler(() => [child.pid!, 2 ** 22 + 1]);
  t.ok(both.sample() >= alone.sample() + (60 << 20));
  alone.close();
  both.close();
});

t.test('other processes', async (t) => {
  const own = anonymousBytes(process.pid);
  t.ok(own !== null && own > 1 << 20);
  t.equal(anonymousBytes(2 ** 22 + 1), null);
});
