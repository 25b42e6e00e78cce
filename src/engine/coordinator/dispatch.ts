import { DafError } from '../../core/contracts/errors.js';
import { PROTOCOL, type StrayReport, type WorkerHello } from '../../core/contracts/messages.js';
import { failpoint } from '../../core/failpoint.js';
import { decodeAtCoordinator, type Peer, tokenMatches } from '../wire/index.js';
import type { Clients } from './clients.js';
import type { Pages } from './pages.js';
import type { ProcessPeaks } from './process-peaks.js';
import type { Repairs } from './repairs.js';
import type { Service } from './service.js';

/** Those that answer what is not the core's to decide. */
export interface Answering {
  readonly clients: Clients;
  readonly pages: Pages;
  readonly repairs: Repairs;
  readonly processes: ProcessPeaks;
}

/** Takes what peers send to those it is for, after a look at who they are. */
export class Dispatch {
  readonly #service: Service;
  readonly #parts: Answering;
  readonly #token: string | null;
  readonly #peers = new Map<string, Peer>();

  constructor(service: Service, parts: Answering, token: string | null) {
    this.#service = service;
    this.#parts = parts;
    this.#token = token;
  }

  /** The connection of a worker that has said hello. */
  peerOf(worker: string): Peer | undefined {
    return this.#peers.get(worker);
  }

  /** Frames from a peer. @throws DafError ERR_DAF_PROTOCOL for malformed ones, which change nothing */
  receive(peer: Peer, frames: readonly Uint8Array[]): void {
    const received = decodeAtCoordinator(frames);
    const { message } = received;
    const { core, ports } = this.#service;
    const now = ports.now();
    switch (message.type) {
      case 'worker-hello': {
        if (!this.#isTrusted(peer, 0, message.token)) return;
        if (message.protocol !== PROTOCOL) {
          this.#service.refuse(
            peer,
            0,
            new DafError('ERR_DAF_PROTOCOL', `protocol ${message.protocol}; this coordinator speaks ${PROTOCOL}`),
          );
          return;
        }
        if (this.#isTaken(peer, message)) return;
        this.#peers.set(message.worker, peer);
        core.workerHello(message, message.running, now);
        this.#notePeak(message.worker);
        return;
      }
      case 'heartbeat':
        if (this.#known(peer, message.worker) && core.heartbeat(message.worker, message, now)) this.#notePeak(message.worker);
        return;
      case 'credit':
        if (this.#known(peer, message.worker)) core.credit(message.worker, message.seq, message.capacity, now);
        return;
      case 'reports':
        if (!this.#known(peer, message.worker)) return;
        failpoint('coordinator.before-commit');
        for (const report of received.body as Extract<typeof received, { message: { type: 'reports' } }>['body']) {
          core.report(message.worker, report, now);
        }
        return;
      case 'worker-bye':
        if (this.#peers.get(message.worker) !== peer) return;
        core.workerBye(message.worker, now);
        this.#peers.delete(message.worker);
        return;
      case 'members':
        if (this.#known(peer, message.worker))
          this.#service.send(peer, { type: 'page', request: message.request, next: null }, core.members());
        return;
      case 'copy-held':
        if (this.#known(peer, message.worker)) this.#parts.repairs.answered(message.worker, message);
        return;
      case 'copy-lost':
        if (this.#known(peer, message.worker)) this.#parts.repairs.lost(message);
        return;
      case 'stray':
        if (this.#known(peer, message.worker)) this.#strayed(peer, message, now);
        return;
      case 'outputs':
      case 'commits':
      case 'spec':
        if (this.#known(peer, message.worker)) this.#parts.pages.request(peer, message);
        return;
      default:
        if (!this.#isTrusted(peer, message.request, message.token)) return;
        this.#parts.clients.request(peer, received as Parameters<Clients['request']>[1]);
    }
  }

  #isTrusted(peer: Peer, request: number, token: string | null): boolean {
    if (tokenMatches(this.#token, token)) return true;
    const error = new DafError('ERR_DAF_PERMISSION', 'wrong or missing session token');
    this.#service.ports.log('warn', 'a peer was refused', { error: error.message });
    this.#service.refuse(peer, request, error);
    return false;
  }

  /** Names are for one process: two that took turns with one would hinder each other for ever. The one that is there keeps it as long as it is heard of. */
  #isTaken(peer: Peer, { worker, host, pid }: WorkerHello): boolean {
    const known = this.#service.core.worker(worker);
    if (known === null || this.#peers.get(worker) === peer || (known.host === host && known.pid === pid)) return false;
    const why = `process ${known.pid} on ${known.host} is worker ${worker} already`;
    this.#service.ports.log('warn', 'a worker was refused', { worker, host, pid, error: why });
    this.#service.refuse(
      peer,
      0,
      new DafError('ERR_DAF_CONFLICT', why, { hint: 'every worker process needs a name of its own' }),
    );
    return true;
  }

  /** A worker is known by the connection that said hello: nobody else may speak in its name. */
  #known(peer: Peer, worker: string): boolean {
    if (this.#peers.get(worker) === peer) {
      if (this.#service.core.knows(worker)) return true;
      this.#peers.delete(worker);
    }
    this.#service.send(peer, { type: 'unknown-worker', term: this.#service.term });
    return false;
  }

  #tooLate = 0;

  #strayed(peer: Peer, { worker, request, job, error }: StrayReport, now: number): void {
    const { core, ports } = this.#service;
    const end = core.strayed(job, error, now);
    if (end === null) return; // it asks again
    if (end === 'too late') {
      this.#tooLate += 1;
      const fields = { job, worker, code: error.code, error: error.message, hint: error.hint, count: this.#tooLate };
      ports.log('error', 'code of a job that was published has failed since', fields);
    }
    this.#service.send(peer, { type: 'page', request, next: null }, null);
  }

  #notePeak(id: string): void {
    const worker = this.#service.core.worker(id);
    if (worker !== null) this.#parts.processes.note(worker);
  }
}
