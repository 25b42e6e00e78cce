import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPluginInfo } from '../../core/addon/plugin-info.js';
import type { JobDefinition, StepCode } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import { temporaryFolder } from '../../core/temporary.js';
import { checkDefinition } from '../jobs/define.js';
import { loadJob } from '../jobs/load.js';
import { type CompiledStep, compileSteps } from '../jobs/steps.js';
import { type Bundle, bundleModule, bundleText } from './bundle.js';

/** Code to send to workers, with what the client must know of it. */
export interface JobCode {
  readonly kind: 'module' | 'plugin';
  readonly definition: Pick<JobDefinition, 'name' | 'check' | 'input' | 'output' | 'plan' | 'deterministic' | 'idempotent'> & {
    readonly finalize?: unknown;
  };
  readonly steps: readonly CompiledStep[];
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** Programs that `daf run` loaded from a bundle: bundle URL → the file it was made from. */
const SOURCES = Symbol.for('daf.sources');
const shared = globalThis as { [SOURCES]?: Map<string, string> };
shared[SOURCES] ??= new Map();
const sources = shared[SOURCES];

export function registerSource(bundleUrl: string, file: string): void {
  sources.set(bundleUrl, file);
}

/**
 * What is submitted becomes code: a definition (with `module`, that file is bundled; without, its functions are sent as text), the URL or path
 * of a job module, or of a plugin (`.so`, `.dylib`).
 */
export async function jobCode(job: JobDefinition | string | URL, cwd: string): Promise<JobCode> {
  if (typeof job === 'string' || job instanceof URL) return codeOfFile(modulePath(job, cwd));
  const definition = checkDefinition(job);
  if (definition.module === undefined) {
    const { inlineModule } = await import('./inline.js'); // brings a parser along
    return moduleCode(definition, await bundleText(inlineModule(definition), definition.name));
  }
  const file = sources.get(definition.module) ?? modulePath(definition.module, cwd);
  return moduleCode(definition, await bundleModule(file, bundleOptions(definition)));
}

function moduleCode(definition: JobDefinition, bundle: Bundle): JobCode {
  return { kind: 'module', definition, steps: compileSteps(definition), ...bundle };
}

async function codeOfFile(file: string): Promise<JobCode> {
  if (/\.(so|dylib|dll)$/.test(file)) return pluginCode(file);
  const bundle = await bundleModule(file);
  const definition = await definitionOf(bundle.bytes);
  // The list of externals stands in the module itself, so it is known only after a first bundle.
  if ((definition.external ?? []).length === 0) return moduleCode(definition, bundle);
  return moduleCode(definition, await bundleModule(file, bundleOptions(definition)));
}

function bundleOptions({ external }: JobDefinition): { readonly external?: readonly string[] } {
  return external === undefined ? {} : { external };
}

/** Loads a bundle here to see what it defines; `isMain` is false in it, so it defines and does nothing else. */
async function definitionOf(bytes: Uint8Array): Promise<JobDefinition> {
  const folder = temporaryFolder('job');
  try {
    const file = join(folder, 'job.mjs');
    await writeFile(file, bytes);
    return await loadJob(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pluginCode(file: string): Promise<JobCode> {
  if (!existsSync(file)) throw new DafError('ERR_DAF_NOT_FOUND', `there is no plugin ${file}`);
  const bytes = await readFile(file);
  const info = readPluginInfo(file);
  const code: StepCode = {
    ...(info.hasReduce ? { reduce: unreachable } : {}),
    ...(info.hasCombine ? { combine: unreachable } : {}),
  };
  return {
    kind: 'plugin',
    definition: { name: info.name, input: info.input === 'files' ? { kind: 'files' } : { kind: 'lines' } },
    steps: [{ name: 'main', from: [], given: [], cuts: null, samples: false, reducers: null, code }],
    bytes,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

/** Stands for a function of a plugin: that it is there is all the client needs to know. */
function unreachable(): never {
  throw new DafError('ERR_DAF_INTERNAL', 'a function of a plugin cannot be called here');
}

function modulePath(job: string | URL, cwd: string): string {
  const text = String(job);
  if (!text.startsWith('file:')) {
    if (/^[a-z][a-z0-9+]+:\/\//i.test(text)) throw new DafError('ERR_DAF_BAD_ARGUMENT', `${text}: a job module is a local file`);
    return resolve(cwd, text);
  }
  const url = new URL(text);
  url.search = '';
  url.hash = '';
  return fileURLToPath(url);
}
