import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { temporaryDirectory } from '../testing/engine-fixture.js';
import { takeLock } from './folder-lock.js';

const folder = temporaryDirectory(t);
const file = join(folder, 'lock');
const of = (pid: number, host = hostname()): string => JSON.stringify({ pid, host });

t.test('a lock is held, given back and taken again', (t) => {
  const giveBack = takeLock(file, 'counting sheep');
  t.equal(readFileSync(file, 'utf8'), of(process.pid));
  giveBack();
  t.notOk(existsSync(file));
  takeLock(file, 'counting sheep')();
  t.same(readdirSync(folder), []);
  t.end();
});

t.test('what a living process holds, here or on another host, is refused with its name', (t) => {
  for (const held of [of(process.ppid), of(1), of(process.pid, 'elsewhere')]) {
    writeFileSync(file, held);
    t.throws(() => takeLock(file, 'counting sheep'), { code: 'ERR_DAF_CONFLICT', message: /counting sheep/, hint: /lock/ });
    t.equal(readFileSync(file, 'utf8'), held, 'and left as it is');
  }
  t.end();
});

t.test('what a process left that is gone, or was cut off in the middle, is taken over', (t) => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  for (const left of [of(pid), '{"pid":', '']) {
    writeFileSync(file, left);
    takeLock(file, 'counting sheep')();
    t.same(readdirSync(folder), [], left);
  }
  t.end();
});
