import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import tap from 'tap';

/** Every native parser is fed mutated files for a minute under AddressSanitizer and UndefinedBehaviorSanitizer: see native/fuzz. */

const SECONDS = 60;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TARGETS = [...readFileSync(join(ROOT, 'native/fuzz/CMakeLists.txt'), 'utf8').matchAll(/^daf_add_fuzzer\((\w+)/gm)].map(
  (match) => match[1]!,
);
const clang = ['', ...Array.from({ length: 12 }, (_, i) => `-${24 - i}`)].find((suffix) => onPath(`clang++${suffix}`));
const skip = clang === undefined ? 'no clang' : false;

tap.setTimeout(40 * 60_000);

tap.test('the fuzz targets build', { skip, timeout: 30 * 60_000 }, async (t) => {
  const compilers = [`-DCMAKE_C_COMPILER=clang${clang}`, `-DCMAKE_CXX_COMPILER=clang++${clang}`];
  const generator = existsSync(join(ROOT, 'build/fuzz/CMakeCache.txt')) || !onPath('ninja') ? [] : ['-G', 'Ninja'];
  t.match(await run('cmake', ['--preset', 'fuzz', ...generator, ...compilers]), { code: 0 });
  t.match(await run('cmake', ['--build', '--preset', 'fuzz', '--parallel', '2']), { code: 0 });
});

tap.test('no input breaks a parser', { skip, timeout: 10 * 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'daf-fuzz-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const program = (name: string): string => join(ROOT, 'build/fuzz/native/fuzz', name);
  t.match(await run(program('fuzz_seeds'), [folder]), { code: 0 });
  t.ok(TARGETS.length >= 5, TARGETS.join());
  for (const target of TARGETS) {
    const found = join(folder, `${target}-found`);
    mkdirSync(found);
    const limits = [
      `-max_total_time=${SECONDS}`,
      '-max_len=65536',
      '-timeout=10',
      '-rss_limit_mb=2048',
      `-artifact_prefix=${found}/`,
    ];
    const { code, output } = await run(program(target), [...limits, '-print_final_stats=1', join(folder, target)]);
    t.equal(code, 0, `${target}\n${output.slice(-4000)}`);
    const runs = Number(/number_of_executed_units: (\d+)/.exec(output)?.[1]);
    t.ok(runs > 1000, `${target}: ${runs} inputs`);
  }
});

function run(command: string, args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        output = (output + String(text)).slice(-20_000);
      });
    }
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}
