import { readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Benchmark, Row } from './row.js';

const USAGE = `npm run bench -- [--only GROUP|NAME]… [--quick] [--json FILE]
  GROUP is field, engine or avatars; NAME is a benchmark's name or group-name.`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
} else {
  await main();
}

async function main(): Promise<void> {
  const benchmarks = await load();
  const wanted =
    values.only.length === 0 ? benchmarks : benchmarks.filter((one) => values.only.some((word) => matches(one, word)));
  if (wanted.length === 0) {
    console.error(
      `nothing matches --only ${values.only.join(' ')}; there are: ${benchmarks.map((one) => `${one.group}-${one.name}`).join(', ')}\n${USAGE}`,
    );
    process.exitCode = 2;
    return;
  }
  const rows: Row[] = [];
  for (const benchmark of wanted) {
    console.error(`── ${benchmark.group}-${benchmark.name}`);
    const found = await benchmark.run({ quick: values.quick, log: (line) => console.error(`   ${line}`) });
    for (const one of found) console.log(line(one));
    rows.push(...found);
  }
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  };
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ machine, quick: values.quick, rows }, null, 2)}\n`);
}

/** Every file of this folder but main and row is one benchmark. */
async function load(): Promise<Benchmark[]> {
  const files = readdirSync(new URL('.', import.meta.url)).filter((file) => /^[a-z]+-[a-z-]+\.js$/.test(file));
  return Promise.all(files.sort().map(async (file) => (await import(new URL(file, import.meta.url).href)) as Benchmark));
}

function matches(benchmark: Benchmark, word: string): boolean {
  return word === benchmark.group || word === benchmark.name || word === `${benchmark.group}-${benchmark.name}`;
}

function line(one: Row): string {
  const verdict = one.holds === null ? '' : one.holds ? `  reach ${one.reach}: holds` : `  reach ${one.reach}: DOES NOT HOLD`;
  return `${one.question} | ${one.case} | ${format(one.value)} ${one.unit} | ${format(one.ratio)}× ${one.against}${verdict}`;
}

function format(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
