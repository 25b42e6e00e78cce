import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, OnResolveArgs, OnResolveResult, Plugin } from 'esbuild';
import { DafError } from '../../core/contracts/errors.js';
import { EXTERNAL, INSTALL, resolveExternals } from '../jobs/load.js';

/** Code as one ESM file, addressed by its hash. The same sources give the same bytes. */
export interface Bundle {
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

export interface BundleOptions {
  /** Packages that stay outside beside `daf` and native ones. */
  readonly external?: readonly string[];
}

const packageRoot = realpathSync(fileURLToPath(new URL('../../../', import.meta.url)));
const ownCode = join(packageRoot, 'dist') + sep;
const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };

const BANNER = `import { createRequire as dafCreateRequire } from "node:module"; const require = dafCreateRequire("${INSTALL}");`;

/**
 * Bundles a job module (JavaScript or TypeScript) with everything it imports. `daf` and native packages stay outside and are checked to be
 * installed here.
 * @throws DafError ERR_DAF_BAD_JOB, ERR_DAF_NOT_FOUND
 */
export async function bundleModule(file: string, options: BundleOptions = {}): Promise<Bundle> {
  if (!existsSync(file)) throw new DafError('ERR_DAF_NOT_FOUND', `there is no job module ${file}`);
  const path = realpathSync(file);
  // A module of this package is on every worker already, and finds its own files there.
  if (path.startsWith(ownCode)) return finish(`// daf ${version}\nexport { default } from "${EXTERNAL}${ownName(path)}";\n`);
  return build({ entryPoints: [path], absWorkingDir: dirname(path) }, { ...options, needsDefault: true, what: basename(path) });
}

/** Bundles source text that imports nothing but built-in modules. */
export async function bundleText(source: string, what: string): Promise<Bundle> {
  return build({ stdin: { contents: source, loader: 'js', sourcefile: 'inline.js' } }, { needsDefault: true, what });
}

/** Bundles a program: like a job module, but it need not export anything. The text is loadable here and now. */
export async function bundleProgram(file: string): Promise<string> {
  const path = realpathSync(file);
  const { bytes } = await build(
    { entryPoints: [path], absWorkingDir: dirname(path) },
    { needsDefault: false, what: basename(path) },
  );
  return resolveExternals(Buffer.from(bytes).toString('utf8'));
}

interface Wanted extends BundleOptions {
  readonly needsDefault: boolean;
  readonly what: string;
}

async function build(entry: BuildOptions, wanted: Wanted): Promise<Bundle> {
  const esbuild = await import('esbuild');
  building += 1;
  try {
    const result = await esbuild.build({
      ...entry,
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      charset: 'utf8',
      legalComments: 'none',
      logLevel: 'silent',
      tsconfigRaw: {},
      outfile: 'job.mjs',
      banner: { js: BANNER },
      plugins: [externals(wanted.external ?? [])],
    });
    const exported = Object.values(result.metafile.outputs)[0]?.exports ?? [];
    if (wanted.needsDefault && !exported.includes('default')) {
      throw new DafError('ERR_DAF_BAD_JOB', `${wanted.what} has no default export`, { hint: 'export default defineJob({ … })' });
    }
    return finish(result.outputFiles[0]!.text);
  } catch (error) {
    throw DafError.is(error) ? error : buildError(error, wanted.what);
  } finally {
    building -= 1;
    // Its service process would outlive the submit; stopped under another build it would leave that one hanging.
    if (building === 0) await esbuild.stop();
  }
}
let building = 0;

function finish(text: string): Bundle {
  resolveExternals(text); // what is missing is said now, not by the first task
  const bytes = Buffer.from(text);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function externals(user: readonly string[]): Plugin {
  const within = Symbol('daf');
  return {
    name: 'daf-externals',
    setup(builder) {
      builder.onResolve({ filter: /.*/ }, async (args): Promise<OnResolveResult | undefined> => {
        if (args.kind === 'entry-point' || args.pluginData === within) return undefined;
        if (isBuiltin(args.path))
          return { path: args.path.startsWith('node:') ? args.path : `node:${args.path}`, external: true };
        const name = packageName(args.path);
        if (name === 'daf' || (name !== null && user.includes(name))) return outside(args.path, args);
        const { importer, resolveDir, kind } = args;
        const found = await builder.resolve(args.path, { importer, resolveDir, kind, pluginData: within });
        if (found.errors.length > 0) return name !== null && isInstalled(args.path) ? outside(args.path, args) : undefined;
        if (found.path.startsWith(ownCode)) return outside(ownName(found.path), args);
        if (found.path.endsWith('.node')) throw new Error(`${args.path} is a native binary: make it a package and import that`);
        if (name !== null && isNativePackage(found.path)) return outside(args.path, args);
        return undefined;
      });
    },
  };
}

/** True for what this package brings along: a job may use it even where its own project does not see it. */
function isInstalled(specifier: string): boolean {
  try {
    import.meta.resolve(specifier);
    return true;
  } catch {
    return false;
  }
}

/** A CommonJS `require` takes no URL; the banner's require starts in the installation instead. */
function outside(name: string, { kind }: OnResolveArgs): OnResolveResult {
  return { path: kind === 'require-call' || kind === 'require-resolve' ? name : EXTERNAL + name, external: true };
}

/** Through package.json's `imports`, so that another installation finds its own copy. */
function ownName(path: string): string {
  return `#daf/${relative(ownCode, path).split(sep).join('/')}`;
}

/** `@scope/name/file` → `@scope/name`; null for relative and absolute paths, URLs and `#imports`. */
function packageName(specifier: string): string | null {
  return /^(@[^/]+\/[^/]+|[^@./#][^/:]*)(\/|$)/.exec(specifier)?.[1] ?? null;
}

const NATIVE_HELPERS = [
  'node-addon-api',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  'prebuild-install',
  'bindings',
  'cmake-ts',
  'nan',
];

/** True for a package that comes with compiled code, which no bundle can carry. */
function isNativePackage(file: string): boolean {
  for (let folder = dirname(file); basename(folder) !== 'node_modules' && folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (!existsSync(manifest)) continue;
    const json = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, unknown> & {
      dependencies?: object;
      optionalDependencies?: object;
    };
    if (json['name'] === undefined) continue; // a folder's { "type": … } only
    const binaries = Object.keys(json.optionalDependencies ?? {}).some((name) => /(linux|darwin|win32)-(x64|arm64)/.test(name));
    const helpers = Object.keys(json.dependencies ?? {}).some((name) => NATIVE_HELPERS.includes(name));
    const files = ['binding.gyp', 'prebuilds', 'build/Release', 'bin/napi-v6'].some((each) => existsSync(join(folder, each)));
    return json['gypfile'] === true || json['binary'] !== undefined || binaries || helpers || files;
  }
  return false;
}

function buildError(error: unknown, what: string): DafError {
  const errors = (
    error as { errors?: readonly { text: string; location: { file: string; line: number; column: number } | null }[] }
  ).errors;
  const first = errors?.[0];
  if (first === undefined) return new DafError('ERR_DAF_BAD_JOB', `${what} cannot be bundled`, { cause: error });
  const where = first.location === null ? '' : `${first.location.file}:${first.location.line}:${first.location.column}: `;
  return new DafError('ERR_DAF_BAD_JOB', `${what} cannot be bundled: ${where}${first.text}`, {
    hint: /Could not resolve/.test(first.text)
      ? 'npm install it, or list it in the job’s `external` if workers have it'
      : undefined,
  });
}
