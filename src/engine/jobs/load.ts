import { readFile, rename, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { threadId } from 'node:worker_threads';
import type { JobDefinition } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import { checkDefinition } from './define.js';

/**
 * How a bundle names what it leaves outside: `import "daf-external:sharp"`. A prefix of its own, so that loading can point every such name at
 * this installation without parsing the file, and a bundle that was not prepared fails to load instead of finding something else.
 */
export const EXTERNAL = 'daf-external:';
/** What a bundle's `require` for CommonJS packages is made from; see {@link EXTERNAL}. */
export const INSTALL = 'daf-install:';

const EXTERNAL_NAME = /(["'])daf-external:([^"'\\\s]+)\1/g;

/** The text of a bundle with its external names replaced by where this installation has them. @throws DafError ERR_DAF_BAD_JOB */
export function resolveExternals(bundle: string): string {
  return bundle
    .replace(EXTERNAL_NAME, (_, quote: string, name: string) => `${quote}${resolveInstalled(name)}${quote}`)
    .replaceAll(INSTALL, import.meta.url);
}

function resolveInstalled(name: string): string {
  try {
    return import.meta.resolve(name);
  } catch (error) {
    throw new DafError('ERR_DAF_BAD_JOB', `the job imports "${name}", which is not installed beside daf here`, {
      hint: `npm install ${name} where the workers run`,
      cause: error,
    });
  }
}

/** Writes the loadable form of a bundle beside it and returns its URL. Safe to run in several threads at once. */
export async function prepareBundle(codePath: string): Promise<string> {
  const text = resolveExternals(await readFile(codePath, 'utf8'));
  const target = `${codePath.replace(/\.mjs$/, '')}.local.mjs`;
  const temporary = `${target}.${process.pid}-${threadId}`;
  await writeFile(temporary, text);
  await rename(temporary, target);
  return pathToFileURL(target).href;
}

/** Loads a bundle's default export. @throws DafError ERR_DAF_BAD_JOB, or ERR_DAF_USER_CODE when the module itself throws. */
export async function loadJob(codePath: string): Promise<JobDefinition> {
  const url = await prepareBundle(codePath);
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(url)) as { readonly default?: unknown };
  } catch (error) {
    if (DafError.is(error)) throw error;
    throw new DafError(
      'ERR_DAF_USER_CODE',
      `the job's module failed to load: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
  if (loaded.default === undefined) {
    throw new DafError('ERR_DAF_BAD_JOB', "the job's module has no default export", { hint: 'export default defineJob({ … })' });
  }
  return checkDefinition(loaded.default);
}
