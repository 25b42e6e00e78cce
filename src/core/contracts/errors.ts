/** Every code a DafError can carry. Tests match these, never message text. */
export type DafErrorCode =
  // the caller's mistake
  | 'ERR_DAF_BAD_ARGUMENT'
  | 'ERR_DAF_BAD_OPTION'
  | 'ERR_DAF_BAD_JOB'
  | 'ERR_DAF_IN_WORKER'
  | 'ERR_DAF_INLINE_CAPTURE'
  | 'ERR_DAF_OUTPUT_EXISTS'
  | 'ERR_DAF_OUTPUT_CONFLICT'
  | 'ERR_DAF_NO_INPUT'
  | 'ERR_DAF_INPUT_CHANGED'
  | 'ERR_DAF_NO_SUCH_JOB'
  // data
  | 'ERR_DAF_BAD_DATA'
  | 'ERR_DAF_BAD_IMAGE'
  | 'ERR_DAF_IMAGE_TOO_LARGE'
  | 'ERR_DAF_NO_FACE'
  | 'ERR_DAF_SEVERAL_FACES'
  | 'ERR_DAF_BAD_LANDMARKS'
  | 'ERR_DAF_BAD_MODEL'
  | 'ERR_DAF_MODEL_MISSING'
  | 'ERR_DAF_VISION_MISSING'
  | 'ERR_DAF_SEGMENT_LOST'
  | 'ERR_DAF_VERIFY'
  // running
  | 'ERR_DAF_TASK_FAILED'
  | 'ERR_DAF_JOB_FAILED'
  | 'ERR_DAF_PLUGIN'
  | 'ERR_DAF_USER_CODE'
  | 'ERR_DAF_CANCELLED'
  | 'ERR_DAF_TIMEOUT'
  | 'ERR_DAF_MEMORY_LIMIT'
  | 'ERR_DAF_REFUSED_INPUTS'
  // machine and cluster
  | 'ERR_DAF_ADDON'
  | 'ERR_DAF_UNSUPPORTED'
  | 'ERR_DAF_IO'
  | 'ERR_DAF_PERMISSION'
  | 'ERR_DAF_NOT_FOUND'
  | 'ERR_DAF_CONFLICT'
  | 'ERR_DAF_FENCED'
  | 'ERR_DAF_PROTOCOL'
  | 'ERR_DAF_UNREACHABLE'
  | 'ERR_DAF_WORKER_LOST'
  | 'ERR_DAF_NO_ROOM'
  | 'ERR_DAF_CLOSED'
  | 'ERR_DAF_FAILPOINT'
  | 'ERR_DAF_INTERNAL';

export interface DafErrorOptions {
  /** What the reader can do about it. */
  readonly hint?: string | undefined;
  /** True when the same operation may succeed on another attempt. */
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

const brand = Symbol.for('daf.error');

/** The one error family of DAF. Identity is a brand, so that two copies of the package recognise each other's errors. */
export class DafError extends Error {
  readonly code: DafErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly [brand] = true;

  constructor(code: DafErrorCode, message: string, options: DafErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DafError';
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
  }

  static is(value: unknown): value is DafError {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** Any thrown value as a DafError: native errors keep their code, Node's system errors get the nearest one. */
  static from(value: unknown, fallback: DafErrorCode = 'ERR_DAF_INTERNAL'): DafError {
    if (DafError.is(value)) return value;
    if (!(value instanceof Error)) return new DafError(fallback, String(value), { cause: value });
    const { code, hint } = value as { code?: unknown; hint?: unknown };
    const known =
      typeof code === 'string' ? (code.startsWith('ERR_DAF_') ? (code as DafErrorCode) : systemCode(code)) : undefined;
    return new DafError(known ?? fallback, value.message, {
      hint: typeof hint === 'string' && hint !== '' ? hint : systemHint(code),
      cause: value,
    });
  }
}

/** What to do about what happens to the best of programs. */
function systemHint(code: unknown): string | undefined {
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full: free some space';
  if (code === 'EMFILE' || code === 'ENFILE') return 'raise the limit of open files (ulimit -n)';
  return undefined;
}

function systemCode(code: string): DafErrorCode | undefined {
  switch (code) {
    case 'ENOENT':
      return 'ERR_DAF_NOT_FOUND';
    case 'EACCES':
    case 'EPERM':
      return 'ERR_DAF_PERMISSION';
    case 'ENOSPC':
    case 'EMFILE':
    case 'ENFILE':
    case 'EIO':
    case 'EROFS':
    case 'EDQUOT':
    case 'EFBIG':
    // A path that cannot be what it is used as.
    case 'EEXIST':
    case 'EISDIR':
    case 'ENOTDIR':
    case 'ENOTEMPTY':
    case 'ENAMETOOLONG':
    case 'ELOOP':
      return 'ERR_DAF_IO';
    default:
      return undefined;
  }
}

/** An error as plain data: what crosses threads and sockets, where class and code would be lost. */
export interface WireError {
  readonly code: DafErrorCode;
  readonly message: string;
  readonly hint: string | null;
  readonly retryable: boolean;
  readonly stack: string | null;
  readonly cause: WireError | null;
}

const CALLERS_MISTAKES: ReadonlySet<DafErrorCode> = new Set<DafErrorCode>([
  'ERR_DAF_BAD_ARGUMENT',
  'ERR_DAF_BAD_OPTION',
  'ERR_DAF_BAD_JOB',
  'ERR_DAF_IN_WORKER',
  'ERR_DAF_INLINE_CAPTURE',
  'ERR_DAF_INPUT_CHANGED',
]);

/** Whether the next attempt would end the same: what DAF itself refuses, whoever asks and wherever. Data, disks and user code may change. */
export function isFinal({ code, retryable }: Pick<WireError, 'code' | 'retryable'>): boolean {
  return !retryable && CALLERS_MISTAKES.has(code);
}

const MAX_CAUSES = 4;
const MAX_TEXT = 4096;

export function toWire(error: unknown, depth = 0): WireError {
  const daf = DafError.from(error);
  const cause = causeOf(error, daf.message);
  return {
    code: daf.code,
    message: daf.message.slice(0, MAX_TEXT),
    hint: daf.hint?.slice(0, MAX_TEXT) ?? null,
    retryable: daf.retryable,
    stack: daf.stack?.slice(0, MAX_TEXT) ?? null,
    cause: cause === undefined || depth >= MAX_CAUSES ? null : toWire(cause, depth + 1),
  };
}

/** The next error that says something new: one that was only wrapped keeps its message and is passed over. */
function causeOf(error: unknown, said: string): unknown {
  let cause = error instanceof Error ? error.cause : undefined;
  for (let hops = 0; hops < MAX_CAUSES && cause instanceof Error && !DafError.is(cause) && cause.message === said; hops += 1) {
    cause = cause.cause;
  }
  return cause;
}

export function fromWire(wire: WireError): DafError {
  const error = new DafError(wire.code, wire.message, {
    hint: wire.hint ?? undefined,
    retryable: wire.retryable,
    cause: wire.cause === null ? undefined : fromWire(wire.cause),
  });
  if (wire.stack !== null) error.stack = wire.stack;
  return error;
}
