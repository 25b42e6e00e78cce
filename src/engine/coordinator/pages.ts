import { DafError } from '../../core/contracts/errors.js';
import type { CommitsRequest, MapOutputsRequest, SpecRequest } from '../../core/contracts/messages.js';
import type { StoredTask } from '../../core/contracts/stores.js';
import type { Commit, MapOutput } from '../../core/contracts/task.js';
import { type Peer, pack } from '../wire/index.js';
import type { Service } from './service.js';
import { STAGES } from './stages.js';

/** Under the bound of a body, with room for what wraps the items. */
const PAGE_BYTES = 900_000;
const READ_TASKS = 256;
const MAX_WAITING = 4096;

type Request = MapOutputsRequest | CommitsRequest | SpecRequest;

/** Answers what workers read of a job: its spec, its map outputs, its commits; page by page, straight from the store. */
export class Pages {
  readonly #service: Service;
  /** Map outputs asked for while a map is being made again: answered when all are there. */
  readonly #waiting = new Map<string, { readonly peer: Peer; readonly request: MapOutputsRequest }>();

  constructor(service: Service) {
    this.#service = service;
  }

  request(peer: Peer, request: Request): void {
    if (request.type === 'map-outputs' && this.#isMapping(request.job)) {
      this.#wait(peer, request);
      return;
    }
    void this.#answer(peer, request).catch((error: unknown) => this.#service.refuse(peer, request.request, error));
  }

  retry(): void {
    if (this.#waiting.size === 0) return;
    for (const [key, { peer, request }] of [...this.#waiting]) {
      if (this.#isMapping(request.job)) continue;
      this.#waiting.delete(key);
      this.request(peer, request);
    }
  }

  #isMapping(id: string): boolean {
    const job = this.#service.core.jobs.get(id);
    return job !== undefined && job.phase === 'running' && !job.map.complete;
  }

  #wait(peer: Peer, request: MapOutputsRequest): void {
    if (this.#waiting.size < MAX_WAITING) this.#waiting.set(`${request.worker}/${request.request}`, { peer, request });
  }

  async #answer(peer: Peer, request: Request): Promise<void> {
    const stored = await this.#service.ports.state.getJob(request.job);
    if (stored === null) throw new DafError('ERR_DAF_NO_SUCH_JOB', `no job ${request.job}`);
    if (request.type === 'spec') {
      this.#service.send(peer, { type: 'page', request: request.request, next: null }, stored.spec);
      return;
    }
    const { spec } = stored;
    const sizes = [spec.splits, spec.reducers, spec.hasFinalize ? 1 : 0];
    const stages = request.type === 'map-outputs' ? 1 : 3;
    const items: (MapOutput | Commit)[] = [];
    let bytes = 0;
    let position = request.from;
    let start = 0;
    for (let stage = 0; stage < stages; start += sizes[stage]!, stage++) {
      while (position < start + sizes[stage]!) {
        const range = { stage: STAGES[stage]!, from: position - start, limit: READ_TASKS };
        const tasks = await this.#service.ports.state.loadTasks(request.job, range);
        for (const task of tasks) {
          if (request.type === 'map-outputs' && (task.commit === null || task.task.index !== position)) {
            this.#wait(peer, request); // opened anew while this was being read
            return;
          }
          const item = itemOf(request, task);
          const size = item === null ? 0 : pack(item).length;
          if (bytes + size > PAGE_BYTES && items.length > 0) {
            this.#service.send(peer, { type: 'page', request: request.request, next: start + task.task.index }, items);
            return;
          }
          if (item !== null) items.push(item);
          bytes += size;
          position = start + task.task.index + 1;
        }
        if (tasks.length === READ_TASKS) continue;
        if (request.type === 'map-outputs' && position < sizes[0]!) {
          this.#wait(peer, request);
          return;
        }
        position = start + sizes[stage]!;
      }
    }
    this.#service.send(peer, { type: 'page', request: request.request, next: null }, items);
  }
}

function itemOf(request: Request, { commit }: StoredTask): MapOutput | Commit | null {
  if (commit === null) return null;
  return request.type === 'map-outputs' ? commit.outcome.mapOutput : commit;
}
