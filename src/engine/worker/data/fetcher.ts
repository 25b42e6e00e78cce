import { addon } from '../../../core/addon/index.js';
import { DafError, fromWire } from '../../../core/contracts/errors.js';
import type { CopyRequest, FetchRequest } from '../../../core/contracts/messages.js';
import { FETCH_BYTES } from '../../../core/memory-plan.js';
import { type DealerHandler, DealerSocket, decodeFromHolder, encode, type KeyPair } from '../../wire/index.js';

/** Granted to a holder at a time. */
const CREDIT_BYTES = FETCH_BYTES;
/** Without a word for this long the rest is asked for again, and given up after the patience. */
const ASK_AGAIN_MS = 1000;
const PATIENCE_MS = 5000;
/** A holder that is heard of, but not of this fetch, has other fetches before it on a slow link: it is waited for so many times longer. */
const IN_TURN = 12;
/** A copy is complete when it is answered. */
const COPY_PATIENCE_MS = 60_000;

export type Wanted = Pick<FetchRequest, 'job' | 'attempt' | 'kind' | 'partition'>;

/** Takes the bytes from `at` on of `total`. */
export type WriteChunk = (bytes: Uint8Array, at: number, total: number) => Promise<void>;

type Question = Omit<FetchRequest, 'request' | 'token'> | Omit<CopyRequest, 'request' | 'token'>;

interface Connection {
  readonly socket: DealerSocket;
  /** When its holder last said anything, to whichever fetch. */
  heard: number;
  readonly waiting: Map<number, { tell(answer: Answer): void; ask(): void }>;
}

type Answer =
  | { readonly at: number; readonly total: number; readonly crc32c: number | null; readonly bytes: Uint8Array }
  | { readonly path: string }
  | DafError;

/** Fetches from data sockets of other workers; one connection for each, kept. */
export class Fetcher {
  readonly #token: string | null;
  readonly #keys: KeyPair | null;
  readonly #connections = new Map<string, Connection>();
  readonly #patienceMs: number;
  readonly #silenceMs: number;
  #request = 0;

  /**
   * @param keys the own ones, for holders that encrypt
   * @param patienceMs a holder that says nothing for this long cannot be reached
   */
  constructor(token: string | null, keys: KeyPair | null = null, patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs;
    this.#silenceMs = Math.min(ASK_AGAIN_MS, patienceMs);
    this.#token = token;
    this.#keys = keys;
  }

  /**
   * Streams what was asked for into `write`, which is waited for before more is granted.
   * @param crc32c what the reader knows the checksum to be; null: what the holder says
   * @param isCancelled looked at between chunks
   * @returns bytes written
   * @throws DafError ERR_DAF_UNREACHABLE, ERR_DAF_BAD_DATA for another checksum, ERR_DAF_CANCELLED, or what the holder answers
   */
  async fetch(
    endpoint: string,
    wanted: Wanted,
    crc32c: number | null,
    write: WriteChunk,
    isCancelled: () => boolean,
  ): Promise<number> {
    const connection = this.#connect(endpoint);
    let at = 0;
    let crc = 0;
    let expected = crc32c;
    let total = Number.POSITIVE_INFINITY;
    let heard = performance.now();
    while (at < total) {
      if (isCancelled()) throw new DafError('ERR_DAF_CANCELLED', 'the attempt was cancelled');
      const stream = this.#ask(connection, { type: 'fetch', ...wanted, at, credit: CREDIT_BYTES });
      try {
        for (let granted = at + CREDIT_BYTES; at < Math.min(granted, total); ) {
          const answer = await stream.next();
          if (answer === null) {
            // What others asked for is on its way before this: asked for again, it would cross the link twice.
            const now = performance.now();
            if (now - connection.heard < this.#silenceMs && now - heard < this.#patienceMs) continue;
            break;
          }
          if (DafError.is(answer)) throw answer;
          if ('path' in answer || answer.at !== at) continue; // of an earlier request
          heard = performance.now();
          total = answer.total;
          expected = crc32c ?? answer.crc32c;
          crc = addon().crc32c(crc, answer.bytes);
          at += answer.bytes.length;
          if (answer.bytes.length > 0) await write(answer.bytes, answer.at, total);
          if (total === 0) break;
        }
      } finally {
        stream.end();
      }
      const now = performance.now();
      if (now - Math.max(heard, connection.heard) > this.#patienceMs || now - heard > IN_TURN * this.#patienceMs) {
        throw new DafError('ERR_DAF_UNREACHABLE', `${endpoint} does not answer`, { retryable: true });
      }
    }
    if (expected !== null && crc !== expected) {
      throw new DafError('ERR_DAF_BAD_DATA', `${wanted.attempt} was fetched with another checksum than it has`, {
        retryable: true,
      });
    }
    return at;
  }

  /**
   * Has a worker copy a file from another one.
   * @returns where it lies there
   * @throws DafError ERR_DAF_UNREACHABLE, or what it answers
   */
  async askToCopy(endpoint: string, wanted: Pick<CopyRequest, 'job' | 'attempt' | 'kind' | 'from'>): Promise<string> {
    const stream = this.#ask(this.#connect(endpoint), { type: 'copy', ...wanted });
    try {
      for (const until = performance.now() + COPY_PATIENCE_MS; performance.now() < until; ) {
        const answer = await stream.next();
        if (DafError.is(answer)) throw answer;
        if (answer !== null && 'path' in answer) return answer.path;
      }
    } finally {
      stream.end();
    }
    throw new DafError('ERR_DAF_UNREACHABLE', `${endpoint} does not answer`, { retryable: true });
  }

  async close(): Promise<void> {
    const connections = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.all(connections.map(({ socket }) => socket.close()));
  }

  #ask(connection: Connection, question: Question): { next(): Promise<Answer | null>; end(): void } {
    const request = ++this.#request;
    const answers: Answer[] = [];
    const silenceMs = this.#silenceMs;
    let wake: () => void = () => {};
    const ask = (): void => {
      void connection.socket.send(encode({ ...question, request, token: this.#token }));
    };
    const tell = (answer: Answer): void => {
      answers.push(answer);
      wake();
    };
    connection.waiting.set(request, { tell, ask });
    ask();
    return {
      async next() {
        if (answers.length === 0) {
          await new Promise<void>((resolve) => {
            const silence = setTimeout(resolve, silenceMs);
            wake = () => {
              clearTimeout(silence);
              resolve();
            };
          });
        }
        return answers.shift() ?? null;
      },
      end: () => connection.waiting.delete(request),
    };
  }

  #connect(endpoint: string): Connection {
    let connection = this.#connections.get(endpoint);
    if (connection !== undefined) return connection;
    const waiting: Connection['waiting'] = new Map();
    const handler: DealerHandler = {
      onConnected: () => {
        for (const { ask } of waiting.values()) ask();
      },
      onMessage: (frames) => {
        try {
          const { message, body } = decodeFromHolder(frames);
          if (connection !== undefined) connection.heard = performance.now();
          const reader = waiting.get(message.request);
          if (message.type === 'chunk') reader?.tell({ ...message, bytes: body as Uint8Array });
          else reader?.tell(message.type === 'copied' ? message : fromWire(message.error));
        } catch {
          // Not from a holder: what is missing is asked for again.
        }
      },
    };
    const socket = new DealerSocket(endpoint, handler, this.#keys);
    connection = { socket, waiting, heard: Number.NEGATIVE_INFINITY };
    this.#connections.set(endpoint, connection);
    return connection;
  }
}
