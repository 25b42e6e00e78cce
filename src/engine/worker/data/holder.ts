import { existsSync, statSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addon } from '../../../core/addon/index.js';
import { DafError, toWire } from '../../../core/contracts/errors.js';
import type { CopyRequest, FetchRequest, ToHolder } from '../../../core/contracts/messages.js';
import {
  decodeAtHolder,
  encode,
  freshIpcEndpoint,
  type Peer,
  RouterSocket,
  type ServerSecurity,
  tokenMatches,
  withServerKey,
} from '../../wire/index.js';
import { addressTowards } from './address.js';
import type { Fetcher, Wanted, WriteChunk } from './fetcher.js';

/** Read and sent at a time. */
const CHUNK_BYTES = 512 << 10;
/** Streams served at once; the others wait their turn, so that memory stays bounded. */
const MAX_STREAMS = 4;

/** What was asked for, within its file. */
interface Stretch {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  readonly crc32c: number | null;
}

export interface HolderOptions {
  readonly dataDir: string;
  readonly worker: string;
  readonly token: string | null;
  /** The coordinator's endpoint: data goes the same kind of way. */
  readonly beside: string;
  /** Encrypts, and lets in known keys only. Default: nothing is encrypted. */
  readonly security?: ServerSecurity | null;
  /** Where to listen. Default: on the address that reaches the coordinator, any free port. */
  readonly endpoint?: string | null;
  /** Told of strangers. */
  log?(message: string): void;
  /** For copies of what others hold. */
  readonly fetcher: Fetcher;
}

/** Serves what this worker holds to workers of other hosts, no more than they have granted. Runs on the main thread: it does I/O only. */
export class DataHolder {
  readonly #dataDir: string;
  readonly #worker: string;
  readonly #token: string | null;
  readonly #waiting: { readonly peer: Peer; readonly message: ToHolder }[] = [];
  readonly #copying = new Map<string, Promise<string>>();
  readonly #fetcher: Fetcher;
  readonly #removeSocket: () => void;
  #router: RouterSocket | null = null;
  #key: string | null = null;
  #streams = 0;

  private constructor({ dataDir, worker, token, fetcher }: HolderOptions, removeSocket: () => void) {
    this.#fetcher = fetcher;
    this.#dataDir = dataDir;
    this.#worker = worker;
    this.#token = token;
    this.#removeSocket = removeSocket;
  }

  static async open(options: HolderOptions): Promise<DataHolder> {
    const ipc = options.beside.startsWith('ipc:') ? freshIpcEndpoint() : null;
    const holder = new DataHolder(options, ipc?.remove ?? (() => {}));
    const { security = null, log } = options;
    if (/^tcp:\/\/(\*|0\.0\.0\.0|\[::\]):/.test(options.endpoint ?? '')) {
      throw new DafError('ERR_DAF_BAD_OPTION', `--data-listen ${options.endpoint}: other workers are told this address`, {
        hint: 'name the address by which they reach this machine; port 0 is any free one',
      });
    }
    const endpoint = options.endpoint ?? ipc?.endpoint ?? `tcp://${await addressTowards(options.beside)}:0`;
    holder.#router = await RouterSocket.bind(
      [endpoint],
      {
        onMessage: (peer, frames) => holder.#receive(peer, frames),
        onRefused: (key, address) => log?.(`data socket: the key ${key} from ${address} is not allowed`),
      },
      security,
    );
    holder.#key = security?.keys.publicKey ?? null;
    return holder;
  }

  /** As other workers must name it, the key included. */
  get endpoint(): string | null {
    const bound = this.#router?.endpoints[0];
    return bound === undefined ? null : withServerKey(bound, this.#key);
  }

  async close(): Promise<void> {
    this.#waiting.length = 0;
    await this.#router?.close();
    this.#router = null;
    this.#removeSocket();
  }

  /**
   * Copies what others hold, unless it lies here already: it is then served like what was made here.
   * @param from endpoints, tried in turn
   * @returns where it lies
   * @throws DafError what the last of them answered
   */
  async hold({ job, attempt, kind }: Pick<Wanted, 'job' | 'attempt' | 'kind'>, from: readonly string[]): Promise<string> {
    const path = this.#path(job, attempt, kind);
    if (existsSync(path)) return path;
    let copying = this.#copying.get(path);
    if (copying === undefined) {
      copying = copyFile(this.#fetcher, from, { job, attempt, kind, partition: null }, path);
      this.#copying.set(path, copying);
    }
    try {
      return await copying;
    } finally {
      this.#copying.delete(path);
    }
  }

  #receive(peer: Peer, frames: readonly Uint8Array[]): void {
    let message: ToHolder;
    try {
      message = decodeAtHolder(frames).message;
    } catch {
      return; // a stranger's bytes; nothing is owed to it
    }
    if (!tokenMatches(this.#token, message.token)) {
      this.#refuse(peer, message, new DafError('ERR_DAF_PERMISSION', 'wrong or missing session token'));
      return;
    }
    this.#waiting.push({ peer, message });
    this.#pump();
  }

  #pump(): void {
    while (this.#streams < MAX_STREAMS) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#streams += 1;
      const { peer, message } = next;
      const serving = message.type === 'fetch' ? this.#serve(peer, message) : this.#copy(peer, message);
      void serving
        .catch((error: unknown) => this.#refuse(peer, message, error))
        .finally(() => {
          this.#streams -= 1;
          this.#pump();
        });
    }
  }

  async #serve(peer: Peer, fetch: FetchRequest): Promise<void> {
    const stretch = this.#find(fetch);
    const end = Math.min(stretch.bytes, fetch.at + fetch.credit);
    const file = await open(stretch.path, 'r');
    try {
      let at = fetch.at;
      do {
        const bytes = await readFully(file, stretch.offset + at, Math.min(CHUNK_BYTES, Math.max(0, end - at)));
        const { request } = fetch;
        const chunk = { type: 'chunk', request, at, total: stretch.bytes, crc32c: stretch.crc32c } as const;
        const taken = await this.#router?.send(peer, encode(chunk, bytes));
        if (taken !== true) return; // the reader is gone, or asks again when it has room
        at += bytes.length;
      } while (at < end);
    } finally {
      await file.close();
    }
  }

  async #copy(peer: Peer, { request, job, attempt, kind, from }: CopyRequest): Promise<void> {
    const path = await this.hold({ job, attempt, kind }, [from]);
    await this.#router?.send(peer, encode({ type: 'copied', request, path }));
  }

  /** Names are checked by the schema: they cannot leave the directory. */
  #find({ job, attempt, kind, partition }: FetchRequest): Stretch {
    const path = this.#path(job, attempt, kind);
    // Readers tell what is not here from what cannot be read: the former may be asked for.
    if (!existsSync(path)) throw new DafError('ERR_DAF_NOT_FOUND', `${attempt} is not held here`);
    if (partition !== null && kind === 'seg') {
      const segment = addon().readSegmentIndex(path)[partition];
      if (segment === undefined) throw new DafError('ERR_DAF_BAD_ARGUMENT', `${attempt} has no partition ${partition}`);
      return { path, offset: segment.offset, bytes: segment.bytes, crc32c: segment.crc };
    }
    return { path, offset: 0, bytes: statSync(path).size, crc32c: null };
  }

  #path(job: string, attempt: string, kind: FetchRequest['kind']): string {
    return join(this.#dataDir, job, this.#worker, `${attempt}.${kind}`);
  }

  #refuse(peer: Peer, { request }: ToHolder, error: unknown): void {
    const wire = toWire(DafError.from(error, 'ERR_DAF_IO'));
    void this.#router?.send(peer, encode({ type: 'refused', request, error: { ...wire, stack: null, cause: null } }));
  }
}

/** Whole or not at all. */
async function copyFile(fetcher: Fetcher, from: readonly string[], wanted: Wanted, path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.copy`;
  let why: unknown = new DafError('ERR_DAF_NOT_FOUND', `nobody serves ${wanted.attempt}`);
  for (const endpoint of from) {
    const file = await open(temporary, 'w');
    const write: WriteChunk = async (chunk, at) => void (await file.write(chunk, 0, chunk.length, at));
    try {
      await fetcher.fetch(endpoint, wanted, null, write, () => false).finally(() => file.close());
      await rename(temporary, path);
      return path;
    } catch (error) {
      why = error;
    }
  }
  await rm(temporary, { force: true });
  throw why;
}

async function readFully(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let got = 0; got < length; ) {
    const { bytesRead } = await file.read(bytes, got, length - got, position + got);
    if (bytesRead === 0) throw new DafError('ERR_DAF_BAD_DATA', 'the file is shorter than its index says');
    got += bytesRead;
  }
  return bytes;
}
