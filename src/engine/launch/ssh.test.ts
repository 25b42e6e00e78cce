import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { countWords, sampleText, sortedLines, temporaryDirectory } from '../../testing/engine-fixture.js';
import { Cluster } from '../cluster/cluster.js';
import { SHIPPED_JOBS } from '../jobs/shipped.js';
import { writeKeyPair } from '../wire/keys.js';
import { quoted } from './ssh.js';

const program = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));
const skip = SSHD === undefined ? 'no sshd (Debian: openssh-server)' : false;
const token = 'long-and-random-token';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server of its own on loopback, with keys of its own; returns the configuration with which ssh reaches it as `node1`. */
async function startSshd(t: Test, folder: string): Promise<string> {
  const [port, host, user] = [await freePort(), join(folder, 'host'), join(folder, 'user')];
  for (const path of [host, user]) spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  writeFileSync(join(folder, 'authorized'), readFileSync(`${user}.pub`));
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true }); // where it gives up its rights
  const settings = `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${host}\nAuthorizedKeysFile ${folder}/authorized\nStrictModes no\nPidFile none\nPermitRootLogin yes\nPasswordAuthentication no\n`;
  writeFileSync(join(folder, 'sshd.conf'), settings);
  const server = spawn(SSHD!, ['-D', '-e', '-f', join(folder, 'sshd.conf')], { stdio: 'ignore' });
  t.teardown(() => server.kill());
  const known = readFileSync(`${host}.pub`, 'utf8');
  writeFileSync(join(folder, 'known'), `[127.0.0.1]:${port} ${known}`);
  const config = join(folder, 'ssh.conf');
  writeFileSync(
    config,
    `Host node*\n  HostName 127.0.0.1\n  Port ${port}\n  User ${userInfo().username}\n  IdentityFile ${user}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${folder}/known\n`,
  );
  for (let tries = 0; tries < 100; tries++) {
    if (spawnSync('ssh', ['-F', config, '-o', 'BatchMode=yes', 'node1', 'true']).status === 0) break;
    await sleep(50);
  }
  return config;
}

/** A process of this test, and what it says. */
function daf(t: Test, args: readonly string[], env: Readonly<Record<string, string>>): { process: ChildProcess; said(): string } {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  t.teardown(() => child.kill('SIGKILL'));
  return { process: child, said: () => text };
}

/** Command lines and environments of all processes that mention a folder. */
function seenByOthers(folder: string): string {
  const parts: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      if (line.includes(folder)) parts.push(line);
    } catch {
      // It has ended.
    }
  }
  return parts.join('\n');
}

t.test('words are quoted for the shell there', async (t) => {
  for (const word of ["it's", 'a b', '$HOME', '`id`', '', 'x;y', '--memory', 'ünï\n"']) {
    t.equal(spawnSync('sh', ['-c', `printf %s ${quoted(word)}`]).stdout.toString(), word);
  }
});

t.test('workers over ssh: keys and token over stdin, and they end with the launcher', { skip, timeout: 60_000 }, async (t) => {
  const folder = temporaryDirectory(t);
  const config = await startSshd(t, folder);
  const keys = join(folder, 'keys');
  for (const name of ['coordinator', 'worker', 'client']) writeKeyPair(keys, name);
  const endpoint = `tcp://127.0.0.1:${await freePort()}`;
  const secured = { DAF_TOKEN: token };
  daf(
    t,
    [
      'coordinator',
      '--listen',
      endpoint,
      '--state',
      join(folder, 'state'),
      '--key',
      join(keys, 'coordinator.key'),
      '--allow',
      keys,
    ],
    secured,
  );
  const server = ['--server-key', join(keys, 'coordinator.pub')];
  const launcher = daf(
    t,
    [
      ...['launch', 'ssh', 'node1', '--ssh-config', config, '--remote-daf', `${process.execPath} ${program}`],
      ...[
        '--connect',
        endpoint,
        '--key',
        join(keys, 'worker.key'),
        ...server,
        '--data',
        join(folder, 'their data'),
        '--memory',
        '256MB',
      ],
    ],
    secured,
  );
  const cluster = await Cluster.connect(endpoint, {
    token,
    key: join(keys, 'client.key'),
    serverKey: join(keys, 'coordinator.pub'),
  });
  t.teardown(() => cluster.close());
  const until = async (count: number): Promise<void> => {
    while ((await cluster.workers()).length !== count) await sleep(50);
  };
  await until(1);
  const lines = seenByOthers(folder);
  t.match(lines, /worker\0--stdin/, 'the worker is seen');
  const secret = /secret (\S+)/.exec(readFileSync(join(keys, 'worker.key'), 'utf8'))![1]!;
  t.notOk(lines.includes(token) || lines.includes(secret), 'their secrets are not');
  const text = sampleText(400, 3);
  writeFileSync(join(folder, 'words.txt'), text);
  const options = {
    input: join(folder, 'words.txt'),
    output: join(folder, 'counts'),
    splitSize: 2000,
    reducers: 2,
    separator: ' ',
  };
  const job = await cluster.submit(SHIPPED_JOBS['wordcount']!, options);
  t.equal(await sortedLines(await job.result()), countWords([text]));
  launcher.process.kill('SIGKILL');
  await until(0);
  t.pass('they went with a launcher that was killed');
});
