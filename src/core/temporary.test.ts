import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';

const MODULE = new URL('./temporary.js', import.meta.url).href;

t.test('what killed processes left behind goes with the next folder of that purpose, and nothing else', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'daf-test-'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  const make = (purpose: string, end: string): string => {
    const code = `const { temporaryFolder, removedAtExit } = await import(${JSON.stringify(MODULE)});
      const folder = temporaryFolder(${JSON.stringify(purpose)}, ${JSON.stringify(base)});
      (await import('node:fs')).writeFileSync(folder + '/s', '');
      (await import('node:fs')).writeSync(1, folder);
      ${end}`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).stdout;
  };
  const killed = make('socket', `process.kill(process.pid, 'SIGKILL');`);
  t.ok(existsSync(join(killed, 's')), 'SIGKILL leaves it');
  const other = make('data', `process.kill(process.pid, 'SIGKILL');`);
  const [, , machine, pid] = killed.slice(base.length + 1).split('-');
  t.match(machine, /^[0-9a-f]{8}$/);
  const kept = [`daf-socket-00000000-${pid}-abcdef`, `daf-socket-${machine}-${process.pid}-abcdef`, 'daf-socket', 'mine'];
  for (const name of kept) mkdirSync(join(base, name));
  writeFileSync(join(base, `daf-socket-${machine}-none-x`), '');
  const tidy = make('socket', 'removedAtExit(folder); process.exit(3);');
  t.notOk(existsSync(killed), 'the next one removes it');
  t.notOk(existsSync(tidy), 'one that ends by itself leaves nothing');
  t.ok(existsSync(other), 'another purpose');
  for (const name of kept) t.ok(existsSync(join(base, name)), name);
  t.equal(readdirSync(base).length, kept.length + 2);
});
