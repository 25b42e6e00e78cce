import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { memoryLimit } from '../../core/cgroup.js';
import { defaultTaskMemory, taskBudget } from '../../core/memory-plan.js';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { shareMemory } from './memory-shares.js';

const MB = 2 ** 20;
const wanted = { workers: null, memory: 512 * MB, memoryGiven: false, cores: 4 };
const wall = (mb: number) => ({ bytes: mb * MB, source: '/sys/fs/cgroup/memory.max' });

t.test('without a wall every core gets a worker with its whole budget', async (t) => {
  t.same(shareMemory(wanted, { bytes: 16_384 * MB, source: null }), { workers: 4, memory: 512 * MB });
  t.same(shareMemory(wanted, { bytes: 1300 * MB, source: null }), { workers: 2, memory: 512 * MB }, 'no more than memory admits');
});

t.test('a wall is shared out', async (t) => {
  t.same(shareMemory(wanted, wall(512)), { workers: 1, memory: 312 * MB });
  t.same(shareMemory({ ...wanted, workers: 2 }, wall(512)), { workers: 2, memory: 156 * MB });
  t.same(shareMemory(wanted, wall(2400)), { workers: 4, memory: 512 * MB });
  t.throws(() => shareMemory({ ...wanted, workers: 8 }, wall(512)), { code: 'ERR_DAF_MEMORY_LIMIT' });
  t.throws(() => shareMemory({ ...wanted, memory: 16 * MB }, wall(512)), { code: 'ERR_DAF_BAD_OPTION' });
});

t.test('default reservations fit into every budget that is allowed', async (t) => {
  for (const budget of [120, 156, 200, 312, 512, 2048]) {
    for (const threads of [1, 2]) {
      const { sortBuffer, task } = defaultTaskMemory(budget * MB, threads);
      if (budget - 64 - 24 * threads >= 32 * threads)
        t.ok((sortBuffer + task) * threads <= taskBudget(budget * MB, threads), `${budget} MB`);
    }
  }
});

function fakeRoot(test: Test, files: Record<string, string>): string {
  const root = temporaryDirectory(test);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

t.test('limits of both generations of cgroups, the smallest one above counts', async (t) => {
  const v2 = fakeRoot(t, {
    'proc/self/cgroup': '0::/a/b\n',
    'sys/fs/cgroup/a/b/memory.max': 'max\n',
    'sys/fs/cgroup/a/memory.max': `${300 * MB}\n`,
  });
  t.match(memoryLimit(v2), { bytes: 300 * MB, source: /a\/memory\.max$/ });
  const v1 = fakeRoot(t, {
    'proc/self/cgroup': '5:cpu:/x\n4:memory:/docker/abc\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': `${200 * MB}\n`, // inside a container the group is the mount's root
  });
  t.match(memoryLimit(v1), { bytes: 200 * MB, source: /memory\.limit_in_bytes$/ });
  t.equal(memoryLimit(fakeRoot(t, {})).source, null);
});
