import { hostname } from 'node:os';
import { DafError, fromWire } from '../../core/contracts/errors.js';
import type { JobSpec, JobStatus } from '../../core/contracts/job.js';
import {
  type ClientHelloAnswer,
  type FromClient,
  type JobEvent,
  PROTOCOL,
  type SubmitJob,
  type WatchRequest,
  type WorkerStatus,
} from '../../core/contracts/messages.js';
import { PeakSampler } from '../../core/memory-sample.js';
import { list, record, whole } from '../wire/check.js';
import {
  checkBody,
  type DealerHandler,
  DealerSocket,
  decodeFromCoordinator,
  encode,
  endpointParts,
  jobStatus,
  type KeyPair,
  workerStatus,
} from '../wire/index.js';

const ASK_AGAIN_MS = 1000;
const MAX_LISTED = 1 << 16;

interface Waiting {
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: DafError) => void;
}

type Ask =
  | { readonly type: 'client-hello'; readonly protocol: number }
  | { readonly type: 'submit' }
  | { readonly type: 'status' | 'cancel'; readonly job: string }
  | Pick<WatchRequest, 'type' | 'job' | 'host' | 'pid' | 'peakBytes'>
  | { readonly type: 'jobs' }
  | { readonly type: 'workers' };

/** A client's connection to a coordinator. Every request is idempotent and sent again until it is answered. */
export class ClientLink {
  readonly #socket: DealerSocket;
  readonly #token: string | null;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, (event: JobEvent) => void>();
  readonly #memory = new PeakSampler();
  #request = 0;
  #broken: DafError | null = null;

  /** @param endpoint with the coordinator's key where it is encrypted; `keys` are the own ones then */
  constructor(endpoint: string, token: string | null, keys: KeyPair | null = null) {
    this.#token = token;
    const handler: DealerHandler = {
      onConnected: () => this.#resend(),
      onMessage: (frames) => this.#receive(frames),
      onRefused: () => this.fail(notAllowed(endpointParts(endpoint).address)),
    };
    this.#socket = new DealerSocket(endpoint, handler, keys);
  }

  get endpoint(): string {
    return this.#socket.endpoint;
  }

  /** @throws DafError ERR_DAF_UNREACHABLE when nobody answers in time. */
  async hello(timeoutMs: number): Promise<ClientHelloAnswer> {
    const answer = await this.#ask({ type: 'client-hello', protocol: PROTOCOL }, undefined, timeoutMs);
    return checkBody(answer, record({ protocol: whole(), term: whole(), workers: whole(), threads: whole() }));
  }

  async submit(spec: JobSpec): Promise<JobStatus> {
    return checkBody(await this.#ask({ type: 'submit' }, spec), jobStatus);
  }

  async status(job: string): Promise<JobStatus> {
    return checkBody(await this.#ask({ type: 'status', job }), jobStatus);
  }

  async cancel(job: string): Promise<JobStatus> {
    return checkBody(await this.#ask({ type: 'cancel', job }), jobStatus);
  }

  /** Asks for a job's events; to be renewed every few seconds. The answer is the status now. */
  async watch(job: string): Promise<JobStatus> {
    return checkBody(
      await this.#ask({ type: 'watch', job, host: hostname(), pid: process.pid, peakBytes: this.#memory.peak }),
      jobStatus,
    );
  }

  async jobs(): Promise<JobStatus[]> {
    return checkBody(await this.#ask({ type: 'jobs' }), list(jobStatus, MAX_LISTED));
  }

  async workers(): Promise<WorkerStatus[]> {
    return checkBody(await this.#ask({ type: 'workers' }), list(workerStatus, MAX_LISTED));
  }

  /** Events of a job go to `listener` until the returned function is called. */
  listen(job: string, listener: (event: JobEvent) => void): () => void {
    this.#listeners.set(job, listener);
    return () => void this.#listeners.delete(job);
  }

  /** Ends every request, now and later, with this error. */
  fail(error: DafError): void {
    this.#broken ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
  }

  async close(): Promise<void> {
    this.fail(new DafError('ERR_DAF_CLOSED', 'the cluster was closed'));
    this.#memory.close();
    await this.#socket.close();
  }

  readonly #sends = new Map<number, () => void>();

  #resend(): void {
    for (const send of this.#sends.values()) send();
  }

  async #ask(message: Ask, body?: unknown, timeoutMs?: number): Promise<unknown> {
    if (this.#broken !== null) throw this.#broken;
    const request = ++this.#request;
    const header = { ...message, request, token: this.#token };
    const send = (): void => {
      const frames =
        header.type === 'submit' ? encode(header, body as JobSpec) : encode(header as Exclude<FromClient, SubmitJob>);
      void this.#socket.send(frames);
    };
    const answered = new Promise<unknown>((resolve, reject) => this.#waiting.set(request, { resolve, reject }));
    const again = setInterval(send, ASK_AGAIN_MS);
    const late =
      timeoutMs === undefined
        ? null
        : setTimeout(() => this.#waiting.get(request)?.reject(unreachable(endpointParts(this.endpoint).address)), timeoutMs);
    this.#sends.set(request, send);
    try {
      send(); // throws when the message is too large
      return await answered;
    } finally {
      clearInterval(again);
      if (late !== null) clearTimeout(late);
      this.#waiting.delete(request);
      this.#sends.delete(request);
    }
  }

  #receive(frames: Buffer[]): void {
    let received: ReturnType<typeof decodeFromCoordinator>;
    try {
      received = decodeFromCoordinator(frames);
    } catch {
      return; // another protocol's answer; the request is sent again or times out
    }
    const { message, body } = received;
    if (message.type === 'reply') this.#waiting.get(message.request)?.resolve(body);
    else if (message.type === 'refused') this.#waiting.get(message.request)?.reject(fromWire(message.error));
    else if (message.type === 'event') {
      const event = body as JobEvent;
      this.#listeners.get('status' in event ? event.status.id : event.job)?.(event);
    }
  }
}

function unreachable(endpoint: string): DafError {
  return new DafError('ERR_DAF_UNREACHABLE', `no coordinator answers at ${endpoint}`, {
    hint: 'is `daf coordinator` running there, with the key that --server-key names?',
  });
}

function notAllowed(address: string): DafError {
  return new DafError('ERR_DAF_PERMISSION', `the coordinator at ${address} does not allow this key`, {
    hint: 'put your .pub file on the list that its --allow names',
  });
}
