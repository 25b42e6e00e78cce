import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { failpoint, resetFailpoints } from './failpoint.js';

const here = new URL('./failpoint.js', import.meta.url).href;

t.test('the n-th hit throws, the others do not', async (t) => {
  process.env['DAF_FAILPOINT'] = 'coordinator.start:2:error';
  resetFailpoints();
  t.teardown(() => {
    delete process.env['DAF_FAILPOINT'];
    resetFailpoints();
  });
  failpoint('coordinator.start');
  failpoint('coordinator.loaded');
  t.throws(() => failpoint('coordinator.start'), { code: 'ERR_DAF_FAILPOINT' });
  failpoint('coordinator.start');
});

t.test('kill ends the process with SIGKILL, once for all who share the file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'daf-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const run = () =>
    spawnSync(process.execPath, ['--input-type=module', '-e', `import { failpoint } from '${here}'; failpoint('task.start');`], {
      env: { ...process.env, DAF_FAILPOINT: 'task.start:1:kill', DAF_FAILPOINT_ONCE: join(folder, 'hit') },
    });
  t.equal(run().signal, 'SIGKILL');
  t.equal(run().status, 0);
});

t.test('a wrong specification is an error, not silence', async (t) => {
  t.teardown(() => {
    delete process.env['DAF_FAILPOINT'];
    resetFailpoints();
  });
  for (const wrong of ['coordinator.strat:1:kill', 'coordinator.start:0:kill', 'coordinator.start:1:boom', 'x']) {
    process.env['DAF_FAILPOINT'] = wrong;
    resetFailpoints();
    t.throws(() => failpoint('coordinator.start'), { code: 'ERR_DAF_BAD_OPTION' }, wrong);
  }
});
