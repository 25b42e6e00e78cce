import { DafError, fromWire, type WireError } from '../../core/contracts/errors.js';
import type { JobSpec } from '../../core/contracts/job.js';
import type { FromWorker, Member, ToWorker } from '../../core/contracts/messages.js';
import type { TaskRange } from '../../core/contracts/step.js';
import type { Commit, HeldOutput } from '../../core/contracts/task.js';
import { list } from '../wire/check.js';
import {
  type BodyOf,
  checkBody,
  commit,
  type DealerHandler,
  DealerSocket,
  decodeFromCoordinator,
  encode,
  heldOutput,
  jobSpec,
  type KeyPair,
  member,
  type PackedReport,
  packReports,
  type Received,
} from '../wire/index.js';

const ASK_AGAIN_MS = 2000;
const PAGE = 1 << 16;

export interface LinkHandler {
  onConnected(): void;
  onDisconnected(): void;
  /** The coordinator does not allow this worker's key. */
  onRefused(): void;
  /** Everything but answers to what this link asked. */
  onMessage(received: Received<ToWorker>): void;
  /** A message that breaks the protocol; it changed nothing. */
  onBroken(error: DafError): void;
}

interface Waiting {
  readonly send: () => void;
  readonly resolve: (answer: { body: unknown; next: number | null }) => void;
  readonly reject: (error: DafError) => void;
}

/** The worker's connection to its coordinator: sends messages, asks for pages until they are answered. */
export class CoordinatorLink {
  readonly #socket: DealerSocket;
  readonly #worker: string;
  readonly #waiting = new Map<number, Waiting>();
  #request = 0;
  #closed = false;

  constructor(endpoint: string, keys: KeyPair | null, worker: string, handler: LinkHandler) {
    this.#worker = worker;
    const handle: DealerHandler = {
      onConnected: () => handler.onConnected(),
      onDisconnected: () => handler.onDisconnected(),
      onRefused: () => handler.onRefused(),
      onMessage: (frames) => {
        let received: Received<ToWorker>;
        try {
          received = decodeFromCoordinator(frames) as Received<ToWorker>;
        } catch (error) {
          handler.onBroken(DafError.from(error, 'ERR_DAF_PROTOCOL'));
          return;
        }
        if (!this.#answer(received)) handler.onMessage(received);
      },
    };
    this.#socket = new DealerSocket(endpoint, handle, keys);
  }

  get endpoint(): string {
    return this.#socket.endpoint;
  }

  /** False when there is no connection or it is full. */
  send<M extends FromWorker>(message: M, ...body: BodyOf<M> extends undefined ? [] : [BodyOf<M>]): Promise<boolean> {
    return this.#socket.send(encode(message, ...body));
  }

  sendReports(reports: readonly PackedReport[]): Promise<boolean> {
    return this.#socket.send(packReports.together(this.#worker, reports));
  }

  async spec(job: string): Promise<JobSpec> {
    const { body } = await this.#ask((request) => ({ type: 'spec', worker: this.#worker, request, job }));
    return checkBody<JobSpec>(body, jobSpec);
  }

  /** What the tasks of a range hold, in order; answered once all of them are committed. */
  async outputs(job: string, { step, stage, from, count }: TaskRange): Promise<HeldOutput[]> {
    const end = from + count;
    const ask = (request: number, next: number): FromWorker => ({
      type: 'outputs',
      worker: this.#worker,
      request,
      job,
      step,
      stage,
      from: next,
      count: end - next,
    });
    return this.#pages<HeldOutput>(ask, from, (body) => checkBody(body, list(heldOutput, PAGE)));
  }

  async members(): Promise<Member[]> {
    const { body } = await this.#ask((request) => ({ type: 'members', worker: this.#worker, request }));
    return checkBody(body, list(member, PAGE));
  }

  /** Tells what a job's code did outside its tasks; resolves once the coordinator has seen to it. */
  async stray(job: string, error: WireError): Promise<void> {
    await this.#ask((request) => ({ type: 'stray', worker: this.#worker, request, job, error }));
  }

  async commits(job: string): Promise<Commit[]> {
    const ask = (request: number, from: number): FromWorker => ({ type: 'commits', worker: this.#worker, request, job, from });
    return this.#pages<Commit>(ask, 0, (body) => checkBody(body, list(commit, PAGE)));
  }

  async #pages<T>(
    ask: (request: number, from: number) => FromWorker,
    first: number,
    check: (body: unknown) => T[],
  ): Promise<T[]> {
    const all: T[] = [];
    for (let from: number | null = first; from !== null; ) {
      const start: number = from;
      const page = await this.#ask((request) => ask(request, start));
      for (const entry of check(page.body)) all.push(entry);
      from = page.next;
    }
    return all;
  }

  /** Asks once more what has no answer yet: a coordinator that has just begun to know this worker cannot have kept a question. */
  askAgain(): void {
    for (const { send } of this.#waiting.values()) send();
  }

  /** Asks until answered: a lost question or answer, or a coordinator that starts again, only costs time. */
  async #ask(message: (request: number) => FromWorker): Promise<{ body: unknown; next: number | null }> {
    const request = ++this.#request;
    const send = (): void => void this.#socket.send(encode(message(request) as never));
    const answered = new Promise<{ body: unknown; next: number | null }>((resolve, reject) => {
      this.#waiting.set(request, { send, resolve, reject });
    });
    const again = setInterval(send, ASK_AGAIN_MS);
    send();
    try {
      return await answered;
    } finally {
      clearInterval(again);
      this.#waiting.delete(request);
    }
  }

  #answer({ message, body }: Received<ToWorker>): boolean {
    if (message.type !== 'page' && message.type !== 'refused') return false;
    const waiting = this.#waiting.get(message.request);
    if (waiting === undefined) return message.type === 'page';
    if (message.type === 'page') waiting.resolve({ body, next: message.next });
    else waiting.reject(fromWire(message.error));
    return true;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { reject } of this.#waiting.values()) reject(new DafError('ERR_DAF_CLOSED', 'the worker is closing'));
    await this.#socket.close();
  }
}
