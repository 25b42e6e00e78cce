import { DafError } from '../../core/contracts/errors.js';
import type { JobSpec } from '../../core/contracts/job.js';
import type { CommitsRequest, OutputsRequest, SpecRequest } from '../../core/contracts/messages.js';
import type { HeldOutput } from '../../core/contracts/task.js';
import { type Peer, pack } from '../wire/index.js';
import type { Service } from './service.js';
import { StageGraph } from './stage-graph.js';
import { TASK } from './task-table.js';

/** Under the bound of a body, with room for what wraps the items. */
const PAGE_BYTES = 900_000;
const READ_TASKS = 256;
const MAX_WAITING = 4096;

type Request = OutputsRequest | CommitsRequest | SpecRequest;

/** Answers what workers read of a job: its spec, the outputs of tasks, its commits; page by page, straight from the store. */
export class Pages {
  readonly #service: Service;
  /** Outputs asked for while one of them is being made again: answered when all are there. */
  readonly #waiting = new Map<string, { readonly peer: Peer; readonly request: OutputsRequest }>();

  constructor(service: Service) {
    this.#service = service;
  }

  request(peer: Peer, request: Request): void {
    if (request.type === 'outputs' && this.#isBeingMade(request)) {
      this.#wait(peer, request);
      return;
    }
    void this.#answer(peer, request).catch((error: unknown) => this.#service.refuse(peer, request.request, error));
  }

  retry(): void {
    if (this.#waiting.size === 0) return;
    for (const [key, { peer, request }] of [...this.#waiting]) {
      if (this.#isBeingMade(request)) continue;
      this.#waiting.delete(key);
      this.request(peer, request);
    }
  }

  /** What the range holds is not all there: it is being made, perhaps again. */
  #isBeingMade({ job: id, step, stage, from, count }: OutputsRequest): boolean {
    const job = this.#service.core.jobs.get(id);
    if (job === undefined || job.phase !== 'running') return false;
    const table = count === 0 ? undefined : job.graph.find({ step, stage, index: from });
    for (let index = from; table !== undefined && index < Math.min(table.total, from + count); index++) {
      if (table.state[index] !== TASK.committed) return true;
    }
    return false;
  }

  #wait(peer: Peer, request: OutputsRequest): void {
    if (this.#waiting.size < MAX_WAITING) this.#waiting.set(`${request.worker}/${request.request}`, { peer, request });
  }

  async #answer(peer: Peer, request: Request): Promise<void> {
    const stored = await this.#service.ports.state.getJob(request.job);
    if (stored === null) throw new DafError('ERR_DAF_NO_SUCH_JOB', `no job ${request.job}`);
    switch (request.type) {
      case 'spec':
        this.#service.send(peer, { type: 'page', request: request.request, next: null }, stored.spec);
        return;
      case 'outputs':
        return this.#outputs(peer, request);
      case 'commits':
        return this.#commits(peer, request, stored.spec);
    }
  }

  async #outputs(peer: Peer, request: OutputsRequest): Promise<void> {
    const page = new PageBuilder();
    const end = request.from + request.count;
    let next = request.from;
    while (next < end) {
      const range = { step: request.step, stage: request.stage, from: next, count: Math.min(READ_TASKS, end - next) };
      const tasks = await this.#service.ports.state.loadTasks(request.job, range);
      for (const { task, commit } of tasks) {
        if (commit === null || task.index !== next) break;
        if (!page.add(this.#reachable(commit.outcome.held))) {
          this.#service.send(peer, { type: 'page', request: request.request, next }, page.items);
          return;
        }
        next += 1;
      }
      if (next < range.from + range.count) {
        this.#wait(peer, request); // opened anew while this was being read
        return;
      }
    }
    this.#service.send(peer, { type: 'page', request: request.request, next: null }, page.items);
  }

  /** Copies of workers that are gone can be read on their host only: nobody has to wait for an answer from there. */
  #reachable(held: HeldOutput | null): HeldOutput | null {
    if (held === null) return null;
    const { core } = this.#service;
    const copies = held.copies.map((copy) => (core.knows(copy.worker) ? copy : { ...copy, endpoint: null }));
    return { ...held, copies };
  }

  async #commits(peer: Peer, request: CommitsRequest, spec: JobSpec): Promise<void> {
    const page = new PageBuilder();
    let start = 0;
    for (const { step, stage, total } of new StageGraph(spec).tables) {
      for (let from = Math.max(0, request.from - start); from < total; ) {
        const tasks = await this.#service.ports.state.loadTasks(request.job, { step, stage, from, count: READ_TASKS });
        for (const { task, commit } of tasks) {
          if (commit === null || page.add(commit)) continue;
          this.#service.send(peer, { type: 'page', request: request.request, next: start + task.index }, page.items);
          return;
        }
        from = tasks.length < READ_TASKS ? total : tasks.at(-1)!.task.index + 1;
      }
      start += total;
    }
    this.#service.send(peer, { type: 'page', request: request.request, next: null }, page.items);
  }
}

/** Items up to the size of a body. */
class PageBuilder {
  readonly items: unknown[] = [];
  #bytes = 0;

  /** False when the page is full without it. A single item always goes in. */
  add(item: unknown): boolean {
    const size = pack(item).length;
    if (this.#bytes + size > PAGE_BYTES && this.items.length > 0) return false;
    this.items.push(item);
    this.#bytes += size;
    return true;
  }
}
