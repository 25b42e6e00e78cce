// clang-format over all C and C++ that git does not ignore; with --check it only compares.
import { execFileSync, spawnSync } from 'node:child_process';

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.h', '*.hpp', '*.c', '*.cpp'], {
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter(Boolean);
const mode = process.argv.includes('--check') ? ['--dry-run', '--Werror'] : ['-i'];
const ran = spawnSync('clang-format', [...mode, ...files], { stdio: 'inherit' });
if (ran.error)
  console.warn('clang-format is not installed; C++ formatting was not checked (Debian: apt-get install clang-format)');
process.exit(ran.error ? 0 : (ran.status ?? 1));
