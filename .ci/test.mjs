// `npm test`: lint, C++ unit tests under AddressSanitizer and UndefinedBehaviorSanitizer, then the compiled TypeScript
// tests. Everything runs even if something before it failed; the last line counts. `--full` adds the tests that take minutes.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

// Where it is set every Node process parses a file of certificates as it starts, for 0.2 s. Tests start thousands, and bring their own servers.
delete process.env.NODE_EXTRA_CA_CERTS;

const full = process.argv.includes('--full');
let passed = 0;
let failed = 0;
let skipped = 0;

await check('lint', 'npm', ['run', '--silent', 'lint']);
await check('format of C++', process.execPath, ['.ci/format-cpp.mjs', '--check']);
if (await check('compile TypeScript', 'npm', ['run', '--silent', 'build:ts'])) {
  await cppTests();
  if (full) await armTests();
  await tapTests(full ? ['dist/**/*.test.js', 'dist/**/*.full.js'] : ['dist/**/*.test.js']);
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 ? 0 : 1);

/** One step that counts as one test. */
async function check(name, command, args) {
  console.log(`── ${name}`);
  const ok = (await run(command, args, (line) => console.log(line))) === 0;
  if (ok) passed += 1;
  else {
    failed += 1;
    console.log(`not ok: ${name}`);
  }
  return ok;
}

async function cppTests() {
  const preset = 'asan-ubsan';
  const generator = existsSync(`build/${preset}/CMakeCache.txt`) || !onPath('ninja') ? [] : ['-G', 'Ninja'];
  if (!(await check('configure C++ tests', 'cmake', ['--preset', preset, ...generator]))) return;
  if (!(await check('build C++ tests', 'cmake', ['--build', '--preset', preset, '--parallel', '2']))) return;
  console.log('── C++ tests');
  let counted = 0;
  const code = await run('ctest', ['--preset', preset, '--parallel', '2'], (line) => {
    const match = /^\s*\d+\/\d+ Test\s+#\d+: (\S+) .*?(Passed|Skipped|\*\*\*\w+)/.exec(line);
    if (match === null) {
      if (!/^\s*Start\s+\d+:/.test(line)) console.log(line);
      return;
    }
    counted += 1;
    if (match[2] === 'Passed') passed += 1;
    else if (/Skipped/.test(match[2])) skipped += 1;
    else {
      failed += 1;
      console.log(`not ok: ${match[1]}`);
    }
  });
  if (code !== 0 && failed === 0) failed += 1;
  if (counted === 0) failed += 1;
}

/** The tests of the kernels and fields built for 64-bit ARM, run under qemu-user. */
async function armTests() {
  const needed = ['aarch64-linux-gnu-g++', 'qemu-aarch64'];
  const missing = needed.filter((program) => !onPath(program));
  if (missing.length > 0) {
    skipped += 1;
    console.log(`  skipped: C++ tests for aarch64, without ${missing.join(' and ')} (Debian: g++-aarch64-linux-gnu, qemu-user)`);
    return;
  }
  const preset = 'aarch64';
  const tests = [
    'base/base_test',
    'kernels/kernels_test',
    'kernels/dot_test',
    'kernels/march_test',
    'nerf/field_test',
    'nerf/render_test',
  ];
  const targets = tests.map((test) => test.split('/')[1]);
  if (!(await check('configure C++ tests for aarch64', 'cmake', ['--preset', preset]))) return;
  if (
    !(await check('build C++ tests for aarch64', 'cmake', [
      '--build',
      '--preset',
      preset,
      '--parallel',
      '2',
      '--target',
      ...targets,
    ]))
  )
    return;
  for (const test of tests)
    await check(`${test} for aarch64`, 'qemu-aarch64', [
      '-L',
      '/usr/aarch64-linux-gnu',
      `build/${preset}/native/${test}`,
      '--gtest_brief=1',
    ]);
}

async function tapTests(globs) {
  console.log('── TypeScript tests');
  if ((await run('npx', ['tap', 'build'], () => {})) !== 0) console.log('tap build failed');
  let file = '';
  let before = failed;
  let quoting = false;
  // tap ends a file after its own timeout, whatever longer ones the tests in it ask for.
  const timeout = full ? ['--timeout=14400'] : [];
  const code = await run('npx', ['tap', '--reporter=tap', ...timeout, ...globs], (line) => {
    const subtest = /^# Subtest: (.*)$/.exec(line);
    if (subtest !== null) file = subtest[1];
    const top = /^(not )?ok \d+ - (\S+)( # time=\S+)?/.exec(line);
    if (top !== null) console.log(`${top[1] ? '✗' : '✓'} ${top[2]}${top[3] ?? ''}`);
    const test = /^ {4}(not )?ok \d+(.*)$/.exec(line);
    if (test !== null) {
      if (/# SKIP/i.test(test[2])) {
        skipped += 1;
        console.log(`  skipped${test[2]}`);
      } else if (test[1]) failed += 1;
      else passed += 1;
    }
    if (/^\s*not ok/.test(line)) console.log(`  ${file}: ${line.trim()}`);
    if (/^\s*---$/.test(line)) quoting = failed > before;
    if (quoting) console.log(line);
    if (/^\s*\.\.\.$/.test(line)) {
      quoting = false;
      before = failed;
    }
  });
  if (code !== 0 && failed === 0) failed += 1;
}

function run(command, args, onLine) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: child.stdout }).on('line', onLine);
    child.on('error', (error) => {
      console.log(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function onPath(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/${program}`));
}
