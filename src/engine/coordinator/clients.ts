import { DafError } from '../../core/contracts/errors.js';
import { type JobSpec, type JobStatus, MANIFEST } from '../../core/contracts/job.js';
import { type FromClient, type JobEvent, PROTOCOL, type WatchRequest } from '../../core/contracts/messages.js';
import { checkSteps } from '../../core/contracts/step.js';
import type { StoredJob } from '../../core/contracts/stores.js';
import { failpoint } from '../../core/failpoint.js';
import type { Peer, Received } from '../wire/index.js';
import { JobState } from './job-state.js';
import { listedJobs, listedWorkers } from './listing.js';
import type { ProcessPeak } from './report.js';
import type { Service } from './service.js';

/** A client that does not ask again within this time has gone. */
const WATCH_MS = 15_000;
const MAX_LISTED = 400;

/** Serves clients: submit, status, cancel, watch. */
export class Clients {
  readonly #service: Service;
  /** job → client → when it asked last, and what its process had used by then. */
  readonly #watchers = new Map<string, Map<Peer, { asked: number; process: ProcessPeak }>>();

  constructor(service: Service) {
    this.#service = service;
  }

  request(peer: Peer, received: Received<FromClient>): void {
    void this.#answer(received).then(
      (body) => {
        if (received.message.type === 'watch') this.#watch(peer, received.message);
        try {
          this.#service.send(peer, { type: 'reply', request: received.message.request }, body);
        } catch (error) {
          this.#service.refuse(peer, received.message.request, error);
        }
      },
      (error: unknown) => this.#service.refuse(peer, received.message.request, error),
    );
  }

  /** Tells watchers how far jobs are; at most as often as it is called. */
  tick(): void {
    const { core, ports } = this.#service;
    const now = ports.now();
    for (const [id, peers] of this.#watchers) {
      for (const [peer, { asked }] of peers) if (now - asked > WATCH_MS) peers.delete(peer);
      if (peers.size === 0) this.#watchers.delete(id);
      const job = core.jobs.get(id);
      if (job === undefined || !job.changed) continue;
      job.changed = false;
      const status = core.status(id, now);
      if (status !== null) this.event(id, { kind: 'progress', status });
    }
  }

  event(id: string, event: JobEvent): void {
    for (const peer of this.#watchers.get(id)?.keys() ?? []) this.#service.send(peer, { type: 'event' }, event);
  }

  ended(id: string): void {
    const status = this.#service.core.status(id, this.#service.ports.now());
    if (status !== null) this.event(id, { kind: 'ended', status });
    this.#watchers.delete(id);
  }

  async #answer(received: Received<FromClient>): Promise<unknown> {
    const { message } = received;
    const { core, ports, term } = this.#service;
    switch (message.type) {
      case 'client-hello':
        if (message.protocol !== PROTOCOL) {
          throw new DafError('ERR_DAF_PROTOCOL', `protocol ${message.protocol}; this coordinator speaks ${PROTOCOL}`);
        }
        return { protocol: PROTOCOL, term, workers: core.workers(ports.now()).length, threads: core.threads };
      case 'submit':
        return this.#submit(received.body as JobSpec);
      case 'status':
      case 'watch':
        return this.#status(message.job);
      case 'jobs':
        return this.#list();
      case 'workers':
        return listedWorkers(core.workers(ports.now()));
      case 'cancel':
        return this.#cancel(message.job);
    }
  }

  async #submit(spec: JobSpec): Promise<JobStatus> {
    const { core, ports, term } = this.#service;
    checkSteps(spec);
    const known = await ports.state.getJob(spec.id);
    if (known === null && (await ports.openOutput(spec.output).stat(MANIFEST)) !== null) {
      throw new DafError('ERR_DAF_OUTPUT_EXISTS', `${spec.output} already holds the results of a job`, {
        hint: 'choose another output directory or remove this one',
      });
    }
    await this.#service.steps.persist('a job', () => ports.state.createJob(term, spec));
    failpoint('coordinator.job-created');
    const stored = await this.#service.steps.persist('a job', () => ports.state.getJob(spec.id));
    if (stored?.phase === 'running') core.jobCreated(stored.spec, ports.now());
    this.#service.settle();
    return this.#status(spec.id);
  }

  async #status(id: string): Promise<JobStatus> {
    const { core, ports } = this.#service;
    const status = core.status(id, ports.now());
    if (status !== null) return status;
    const stored = await ports.state.getJob(id);
    if (stored === null) throw new DafError('ERR_DAF_NO_SUCH_JOB', `no job ${id}`, { hint: 'list them with `daf jobs`' });
    return statusOf(stored);
  }

  async #list(): Promise<JobStatus[]> {
    const { core, ports } = this.#service;
    const stored = await ports.state.listJobs();
    return listedJobs(stored.slice(-MAX_LISTED).map((job) => core.status(job.spec.id, ports.now()) ?? statusOf(job)));
  }

  async #cancel(id: string): Promise<JobStatus> {
    const { core, ports } = this.#service;
    const status = await this.#status(id);
    if (status.phase === 'running') core.cancel(id, ports.now());
    this.#service.settle();
    return status;
  }

  /** The processes of the clients that watch a job. */
  processes(id: string): ProcessPeak[] {
    return [...(this.#watchers.get(id)?.values() ?? [])].map(({ process }) => process);
  }

  #watch(peer: Peer, { job: id, host, pid, peakBytes }: WatchRequest): void {
    const job = this.#service.core.jobs.get(id);
    if (job === undefined || job.endedAt !== null) return;
    const peers = this.#watchers.get(id) ?? new Map();
    if (!peers.has(peer)) job.changed = true; // a newcomer wants to see where it stands
    peers.set(peer, {
      asked: this.#service.ports.now(),
      process: { role: 'client', name: `client-${pid}`, host, pid, peakBytes },
    });
    this.#watchers.set(id, peers);
  }
}

/** A job that the core no longer holds. */
function statusOf({ spec, phase, error }: StoredJob): JobStatus {
  const state = new JobState(
    { ...spec, steps: spec.steps.map((step) => ({ ...step, splits: 0, reducers: 0 })), hasFinalize: false },
    0,
    0,
  );
  state.phase = phase;
  return { ...state.status(0, 0), error: (error as JobStatus['error']) ?? null };
}
