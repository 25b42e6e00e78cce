import { type Node, parse } from 'acorn';
import { analyze } from 'eslint-scope';
import type { JobDefinition, StepDefinition } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';

const FUNCTIONS = ['map', 'mapBlocks', 'combine', 'reduce', 'reduceGroups', 'partition', 'finalize'] as const;
/** Of the plain members those that the worker needs; the rest is in the job's spec. */
const VALUES = ['name', 'text', 'order', 'from', 'given', 'reducers'] as const;

/**
 * The module that stands for a job given as inline functions: their text, each on its own. A function that uses a variable of the place it was
 * written at would find nothing on a worker, so it is refused.
 * @throws DafError ERR_DAF_INLINE_CAPTURE naming function and variable; ERR_DAF_BAD_JOB for functions without text.
 */
export function inlineModule(job: JobDefinition): string {
  const members = membersOf(job);
  if (job.steps !== undefined)
    members.push(`steps: [${job.steps.map((step) => `{ ${membersOf(step).join(', ')} }`).join(', ')}]`);
  // Some compilers wrap every function in __name(), which keeps its name.
  return `const __name = (fn) => fn;\nexport default {\n  ${members.join(',\n  ')},\n};\n`;
}

function membersOf(part: Partial<JobDefinition & StepDefinition>): string[] {
  const members = VALUES.filter((name) => part[name] !== undefined).map((name) => `${name}: ${JSON.stringify(part[name])}`);
  for (const name of FUNCTIONS) {
    const value = part[name];
    if (value !== undefined) members.push(`${name}: ${functionText(name, value)}`);
  }
  return members;
}

type AnyFunction = (...args: never[]) => unknown;

function functionText(name: string, fn: AnyFunction): string {
  const text = Function.prototype.toString.call(fn);
  const source = asExpression(text);
  if (source === null) {
    throw new DafError('ERR_DAF_BAD_JOB', `${name} has no source text that could be sent to a worker`, {
      hint: 'native and bound functions have none; put the job into a module and give module: import.meta.url',
    });
  }
  refuseCaptures(name, source);
  return source;
}

/** `map(a) {}` of an object literal is no expression by itself. */
function asExpression(text: string): string | null {
  if (parses(`(${text})`)) return `(${text})`;
  const method = `({ ${text} })`;
  const name = /^(?:async\s+)?\*?\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)/u.exec(text)?.[1];
  return name !== undefined && parses(method) ? `${method}.${name}` : null;
}

function parses(source: string): boolean {
  try {
    parse(source, { ecmaVersion: 'latest', sourceType: 'module' });
    return true;
  } catch {
    return false;
  }
}

const known = new Set(['undefined', 'arguments', '__name', ...Object.getOwnPropertyNames(globalThis)]);

function refuseCaptures(name: string, source: string): void {
  const program = parse(source, { ecmaVersion: 'latest', sourceType: 'module', locations: true, ranges: true });
  const scopes = analyze(program as never, { ecmaVersion: 2022, sourceType: 'module' });
  const free = scopes.globalScope?.through.map((reference) => reference.identifier.name).filter((each) => !known.has(each)) ?? [];
  const captured = free[0] ?? (usesImportMeta(program) ? 'import.meta' : undefined);
  if (captured === undefined) return;
  throw new DafError('ERR_DAF_INLINE_CAPTURE', `${name} uses "${captured}", which exists only where the function was written`, {
    hint: `pass it in params and read context.params, define it inside ${name}, or give the job a module: module: import.meta.url`,
  });
}

/** Walks without a list of node kinds: every property that holds nodes is visited. */
function usesImportMeta(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(usesImportMeta);
  if (typeof node !== 'object' || node === null) return false;
  if ((node as Partial<Node>).type === 'MetaProperty') {
    return (node as unknown as { meta: { name: string } }).meta.name === 'import';
  }
  return Object.values(node).some(usesImportMeta);
}
