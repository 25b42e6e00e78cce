import { type Command, CommanderError } from 'commander';
import { DafError, toWire, type WireError } from '../core/contracts/errors.js';
import { ProgressBar } from './progress.js';
import { readSecretFiles } from './secret-files.js';

/** What a command answers: `json` is printed with --json, `text` without it. */
export interface CommandResult {
  readonly json: unknown;
  readonly text: string;
  /** Process exit code; 0 unless the command says otherwise. */
  readonly exitCode?: number;
}

/** What a command may use of the terminal. Results are returned, never printed by the command itself. */
export interface CommandIo {
  readonly json: boolean;
  /** A line for people, on stderr. */
  log(line: string): void;
  /** Drawn on stderr when it is a terminal and --json is not given; silent otherwise. */
  readonly progress: ProgressBar;
  /** Aborted by the first Ctrl-C; a second one ends the process at once. */
  readonly signal: AbortSignal;
}

export interface CommandSpec {
  /** Commander's usage, e.g. `run <job>`. */
  readonly usage: string;
  readonly summary: string;
  /** Shown under --help; at least one. */
  readonly examples: readonly string[];
  /** Adds options and arguments. */
  options?(command: Command): void;
  /** Exit code of a failure; 1 without it. */
  exitCodeOf?(error: unknown): number;
  /** Arguments in order, then the options object. Heavy modules are imported in here, so that --help stays quick. */
  run(args: readonly unknown[], options: Record<string, unknown>, io: CommandIo): Promise<CommandResult>;
}

/** Adds a command with what all of them share: --json, --help with examples, errors with code, message and hint. */
export function addCommand(program: Command, spec: CommandSpec): void {
  const command = program
    .command(spec.usage)
    .description(spec.summary)
    .option('--json', 'print one JSON document on stdout; logs go to stderr')
    .showSuggestionAfterError(true);
  spec.options?.(command);
  command.addHelpText('after', `\nExamples:\n${spec.examples.map((line) => `  $ ${line}`).join('\n')}`);
  command.action(async (...received: unknown[]) => {
    const options = received[received.length - 2] as Record<string, unknown>;
    await execute(spec, received.slice(0, -2), options);
  });
}

async function execute(spec: CommandSpec, args: readonly unknown[], options: Record<string, unknown>): Promise<void> {
  const json = options['json'] === true;
  const progress = new ProgressBar(process.stderr, !json);
  const abort = new AbortController();
  const onInterrupt = (): void => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort(new DafError('ERR_DAF_CANCELLED', 'interrupted', { hint: 'Ctrl-C again ends at once' }));
  };
  process.on('SIGINT', onInterrupt);
  const io: CommandIo = { json, progress, signal: abort.signal, log: (line) => progress.above(`${line}\n`) };
  try {
    const result = await spec.run(args, options, io);
    progress.end();
    await write(json ? `${JSON.stringify(result.json, null, 2)}\n` : result.text === '' ? '' : `${result.text}\n`);
    process.exitCode = result.exitCode ?? 0;
  } catch (error) {
    progress.end();
    await fail(error, json);
    process.exitCode = abort.signal.aborted ? 130 : (spec.exitCodeOf?.(error) ?? 1);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/** Writes a failure the way every command does. */
export async function fail(error: unknown, json: boolean): Promise<void> {
  const { code, message, hint, cause } = toWire(error);
  if (json) {
    await write(`${JSON.stringify({ error: { code, message, hint, cause: causes(cause) } }, null, 2)}\n`);
    return;
  }
  const lines = [`daf: ${code}: ${message}`];
  for (let next = cause; next !== null; next = next.cause) lines.push(`  because: ${next.code}: ${next.message}`);
  if (hint !== null) lines.push(`  hint: ${hint}`);
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** The whole chain: what went wrong in the end is the innermost one. */
function causes(error: WireError | null): object | null {
  return error && { code: error.code, message: error.message, cause: causes(error.cause) };
}

function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** Runs the program on argv; a wrong command line becomes ERR_DAF_BAD_OPTION with exit code 2. */
export async function runProgram(program: Command, argv: readonly string[]): Promise<void> {
  const json = argv.includes('--json');
  for (const each of withSubcommands(program)) {
    each.exitOverride().configureOutput({ writeErr: () => {}, writeOut: (text) => process.stdout.write(text) });
  }
  if (argv.length === 0) {
    program.outputHelp();
    return;
  }
  try {
    readSecretFiles(process.env);
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      await fail(error, json);
      process.exitCode = 1;
      return;
    }
    if (error.exitCode === 0) return;
    if (error.code === 'commander.help') {
      // A group named without one of its commands: its help is the answer.
      program.commands.find((command) => command.name() === argv[0])?.outputHelp();
      return;
    }
    const message = error.message.replace(/^error: /, '').trim();
    await fail(new DafError('ERR_DAF_BAD_OPTION', message, { hint: 'daf --help, or daf <command> --help' }), json);
    process.exitCode = 2;
  }
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Collects a repeatable `--param k=v`. */
export function collectParam(value: string, all: Record<string, string> = {}): Record<string, string> {
  const at = value.indexOf('=');
  if (at <= 0) throw new DafError('ERR_DAF_BAD_OPTION', `--param ${value}: expected name=value`);
  return { ...all, [value.slice(0, at)]: value.slice(at + 1) };
}

/** A whole number option within bounds. */
export function wholeNumber(name: string, low: number, high: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!Number.isInteger(number) || number < low || number > high) {
      throw new DafError('ERR_DAF_BAD_OPTION', `${name} ${value}: expected a whole number from ${low} to ${high}`);
    }
    return number;
  };
}
