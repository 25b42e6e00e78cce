import { readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Benchmark, Row } from './row.js';

const USAGE = `npm run bench -- [--only GROUP|NAME]… [--quick] [--json FILE] [--set NAME=VALUE]…
  GROUP is field, engine or avatars; NAME is a benchmark's name or group-name. benchmarks/README.md lists them and their settings.`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

// Where it is set every Node process parses a file of certificates as it starts, for 0.2 s. The peers do nothing of the kind, and no process that is
// measured opens a connection to what would need them.
delete process.env['NODE_EXTRA_CA_CERTS'];

if (values.help) {
  console.log(USAGE);
} else {
  await main();
}

async function main(): Promise<void> {
  const benchmarks = await load();
  const wanted = benchmarks.filter((one) =>
    values.only.length === 0 ? one.byNameOnly !== true : values.only.some((word) => matches(one, word, benchmarks)),
  );
  if (wanted.length === 0) {
    console.error(
      `nothing matches --only ${values.only.join(' ')}; there are: ${benchmarks.map((one) => `${one.group}-${one.name}`).join(', ')}\n${USAGE}`,
    );
    process.exitCode = 2;
    return;
  }
  const settings = readSettings(wanted);
  if (settings === null) return;
  const rows: Row[] = [];
  for (const benchmark of wanted) {
    console.error(`── ${benchmark.group}-${benchmark.name}`);
    try {
      const found = await benchmark.run({ quick: values.quick, settings, log: (line) => console.error(`   ${line}`) });
      for (const one of found) console.log(line(one));
      rows.push(...found);
    } catch (error) {
      // An hour of other answers is not lost over it.
      console.error(error);
      process.exitCode = 1;
    }
  }
  for (const each of summary(rows)) console.error(each);
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  };
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ machine, quick: values.quick, rows }, null, 2)}\n`);
}

/** `--set name=value`, or null (and the exit status says so) where no wanted benchmark knows the name. */
function readSettings(wanted: readonly Benchmark[]): Record<string, string> | null {
  const known = wanted.flatMap((one) => one.settings ?? []);
  const pairs = values.set.map((pair) => /^([^=]+)=(.+)$/.exec(pair)?.slice(1) ?? [pair]);
  for (const [name, value] of pairs) {
    if (value !== undefined && known.includes(name!)) continue;
    console.error(`--set ${name}: expected NAME=VALUE with a name of: ${known.join(', ') || 'none here'}`);
    process.exitCode = 2;
    return null;
  }
  return Object.fromEntries(pairs as [string, string][]);
}

/** How many aims hold, and which do not. */
function summary(rows: readonly Row[]): string[] {
  const aims = rows.filter((one) => one.holds !== null);
  const missed = aims.filter((one) => one.holds === false);
  return [`── ${aims.length - missed.length} of ${aims.length} hold`, ...missed.map((one) => `   does not hold: ${line(one)}`)];
}

/** Every file of this folder whose name is two words is one benchmark. */
async function load(): Promise<Benchmark[]> {
  const files = readdirSync(new URL('.', import.meta.url)).filter((file) => /^[a-z]+-[a-z-]+\.js$/.test(file));
  return Promise.all(files.sort().map(async (file) => (await import(new URL(file, import.meta.url).href)) as Benchmark));
}

/** The full name, the name within its group, or the group; one that takes an hour only answers to its full name where others share the short one. */
function matches(benchmark: Benchmark, word: string, all: readonly Benchmark[]): boolean {
  if (word === `${benchmark.group}-${benchmark.name}`) return true;
  if (benchmark.byNameOnly !== true) return word === benchmark.group || word === benchmark.name;
  return word === benchmark.name && all.every((other) => other === benchmark || other.name !== word);
}

function line(one: Row): string {
  const verdict = one.holds === null ? '' : one.holds ? `  reach ${one.reach}: holds` : `  reach ${one.reach}: DOES NOT HOLD`;
  return `${one.question} | ${one.case} | ${format(one.value)} ${one.unit} | ${format(one.ratio)}× ${one.against}${verdict}`;
}

function format(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
