import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { countWords, sampleText, temporaryDirectory } from '../../testing/engine-fixture.js';

const NAMESPACE = ['-rn', 'sh', '-c', 'ip link set lo up && ip addr add 10.77.0.1/32 dev lo && exec "$@"', 'sh'];
const skip = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0 ? false : 'cannot make a network namespace here';

t.test('a cluster that other machines can reach: keys, a token, and nobody else', { skip, timeout: 120_000 }, async (t) => {
  const folder = temporaryDirectory(t);
  const fixture = fileURLToPath(new URL('./secured.test.fixture.js', import.meta.url));
  const run = spawnSync('unshare', [...NAMESPACE, process.execPath, fixture, folder], { maxBuffer: 64 << 20 });
  t.equal(run.status, 0, run.stderr.toString());
  const seen = JSON.parse(run.stdout.toString() || '{}') as Record<string, string> & {
    report: { tasks: { worker: string }[] };
    workers: string[];
  };
  t.equal(seen['without keys'], 'ERR_DAF_BAD_OPTION');
  t.equal(seen['without token'], 'ERR_DAF_BAD_OPTION');
  t.equal(seen['client of another key'], 'ERR_DAF_PERMISSION');
  t.equal(seen['client of another token'], 'ERR_DAF_PERMISSION');
  t.equal(seen['client that expects another server'], 'ERR_DAF_UNREACHABLE');
  t.equal(seen['client without keys'], 'ERR_DAF_BAD_OPTION');
  t.same(seen.workers, ['north', 'south'], 'neither the wrong key nor the wrong token is a worker');
  t.equal(seen['counts'], countWords([sampleText(1500, 9)]));
  t.ok(new Set(seen.report.tasks.map(({ worker }) => worker)).size === 2, 'data went from worker to worker');

  const stranger = readFileSync(join(folder, 'keys/stranger.pub'), 'latin1').split(' ')[0]!;
  t.ok(seen['coordinator.log']!.includes(stranger), 'the coordinator logs the key that it refused');
  t.match(seen['coordinator.log'], /wrong or missing session token/);
  t.match(seen['wrong-key.log'], /does not allow the key/);
  t.match(seen['wrong-token.log'], /ERR_DAF_PERMISSION/);
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.log'))) {
    const log = readFileSync(join(folder, name), 'latin1');
    for (const key of ['coordinator', 'worker']) {
      const secret = /^secret (\S+)$/m.exec(readFileSync(join(folder, `keys/${key}.key`), 'latin1'))![1]!;
      t.notOk(log.includes(secret) || log.includes('long and random'), `${name} holds no secret`);
    }
  }
});
