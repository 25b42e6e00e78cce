// Rules of the house that no other tool checks: native functions are declared twice in the same order, no file names one
// machine's path or a registry's address, every folder of the map has its README.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const problems = [];
const tracked = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean);

// bindings/<x>.cpp exports exactly what src/core/addon/<x>.ts declares, in the same order.
for (const file of tracked.filter((name) => /^bindings\/\w+\.cpp$/.test(name) && name !== 'bindings/addon.cpp')) {
  const exported = [...readFileSync(file, 'utf8').matchAll(/exports\.Set\("(\w+)"/g)].map((match) => match[1]);
  if (exported.length === 0) continue;
  const declaration = `src/core/addon/${file.slice('bindings/'.length, -'.cpp'.length)}.ts`;
  if (!existsSync(declaration)) {
    problems.push(`${file}: ${declaration} is missing`);
    continue;
  }
  const body = /export interface \w+Addon\s*\{([\s\S]*?)\n\}/.exec(readFileSync(declaration, 'utf8'))?.[1] ?? '';
  const declared = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\s*[(:<?]/gm)].map((match) => match[1]);
  if (exported.join() !== declared.join())
    problems.push(`${file} exports [${exported}] but ${declaration} declares [${declared}]`);
}

for (const file of tracked) {
  if (/\.(log|cpuprofile|heapprofile|heapsnapshot|tgz|orig|rej)$/.test(file)) problems.push(`${file}: was left behind by a tool`);
  if (/\.(png|safetensors|onnx|bin|glb)$/.test(file) || file === '.ci/check-house.mjs' || !existsSync(file)) continue;
  const text = readFileSync(file, 'utf8');
  if (file === 'package-lock.json' && text.includes('"resolved"')) problems.push(`${file}: holds addresses`);
  if (/\/work\/(main|wt|shared)|registry\.npmjs|\/root\//.test(text))
    problems.push(`${file}: names a path of one machine or a registry's host`);
}

const folders = new Set(
  tracked.filter((name) => /^(native|src)\/[\w-]+\//.test(name)).map((name) => name.split('/').slice(0, 2).join('/')),
);
for (const folder of [...folders, 'bindings', 'plugins', 'benchmarks']) {
  if (!existsSync(`${folder}/README.md`)) problems.push(`${folder}: has no README.md`);
}

for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
