import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import t from 'tap';

const MAIN = new URL('main.js', import.meta.url).pathname;
const daf = async (...args: string[]): Promise<string> => (await promisify(execFile)(process.execPath, [MAIN, ...args])).stdout;

t.test('--help lists every command, a command alone knows its own', async (t) => {
  const help = await daf('--help');
  for (const name of [
    'demo',
    'avatar',
    'run',
    'submit',
    'jobs',
    'status',
    'cancel',
    'verify',
    'replay',
    'coordinator',
    'worker',
    'doctor',
  ])
    t.match(help, new RegExp(`^  ${name}\\b`, 'm'));
  for (const family of ['keys', 'launch', 'nerf', 'dataset', 'models']) {
    t.match(help, new RegExp(`^  ${family}\\b`, 'm'));
    t.match(await daf(family, '--help'), new RegExp(`Usage: daf ${family} `));
  }
  t.equal(await daf('help', 'run'), await daf('run', '--help'));
});

t.test('a misspelt command is told which one it may be', async (t) => {
  const failure = await daf('avatr', '--json').then(
    () => null,
    (error) => error as { code: number; stdout: string },
  );
  t.equal(failure?.code, 2);
  t.match(failure?.stdout, /ERR_DAF_BAD_OPTION.*avatar/s);
});

t.test('a reader that leaves, as head does, ends it without a complaint', async (t) => {
  const child = spawn(process.execPath, [MAIN, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  t.equal(complaint, '');
  t.equal(code, 0);
});
