import { DafError } from '../../core/contracts/errors.js';

/**
 * What the code of an attempt still does once the attempt has ended, in promises that nobody awaited: it is in no result, so it must not go
 * unnoticed.
 */
export class Late {
  readonly #job: string;
  readonly #attempt: string;
  readonly #tell: (error: DafError) => void;
  #ended = false;
  #told = false;
  #harmless = false;

  /** @param tell is called with the first thing that was left out */
  constructor(job: string, attempt: string, tell: (error: DafError) => void) {
    this.#job = job;
    this.#attempt = attempt;
    this.#tell = tell;
  }

  /** @param failed nothing that comes now is missing: the task runs again */
  end(failed: boolean): void {
    this.#ended = true;
    this.#harmless = failed;
  }

  /** For everything but records, whose sinks know by themselves. @throws DafError ERR_DAF_USER_CODE after the end */
  check(what: string): void {
    if (this.#ended) throw this.#error(what);
  }

  /** What is thrown to code that emits after the end of its attempt. */
  readonly emitted = (): DafError => this.#error('emitted a record');

  /** What is thrown to code that counts after the end of its attempt. */
  readonly counted = (): DafError => this.#error('added to a counter');

  #error(what: string): DafError {
    const error = new LateError(`${this.#attempt} of job ${this.#job} ${what} after its task had ended: it is in no result`);
    if (!this.#told && !this.#harmless) this.#tell(error);
    this.#told = true;
    return error;
  }
}

/** Thrown into code that comes too late, which seldom listens; it has been told of already. */
export class LateError extends DafError {
  constructor(message: string) {
    super('ERR_DAF_USER_CODE', message, {
      hint: 'return or await every promise that still emits, counts or puts files',
    });
  }
}

/** For sinks of which nobody looks at what they hold. */
export function tooLate(): DafError {
  return new LateError('a record was emitted after its task had ended');
}
