import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tap from 'tap';
import { addon } from '../core/addon/index.js';
import { writeDemoInput } from './demo/write_input.js';
import { avatarInput } from './input.js';
import { runStages } from './local.test.fixture.js';

tap.test("a person's tasks run on the native blocks that the person before left", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'daf-reuse-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeDemoInput(folder, { people: 1, photos: 1, seed: 1 });
  const { records } = await avatarInput([folder]);
  addon().setMemoryLimit(300 * 2 ** 20);
  const taken: number[] = [];
  for (let person = 0; person < 2; person++) {
    const before = addon().memoryUse().systemBlocks;
    await runStages(records, { quality: 'draft' });
    taken.push(addon().memoryUse().systemBlocks - before);
  }
  t.ok(taken[0]! > 0);
  t.equal(taken[1], 0);
  t.equal(addon().memoryUse().used, 0);
});
