import { type AssignBody, MAX_BATCH, type ToWorker, type Verdicts } from '../../core/contracts/messages.js';
import type { Assignment } from '../../core/contracts/task.js';
import type { Effect } from './effects.js';

type Verdict = Verdicts['verdicts'][number];
interface AttemptRef {
  readonly job: string;
  readonly attempt: string;
}

/** Collects the effects of an event and packs what goes to one worker into batches: verdicts and revocations before assignments. */
export class Outbox {
  #effects: Effect[] = [];
  readonly #assigns = new Map<string, Assignment[]>();
  readonly #verdicts = new Map<string, Verdict[]>();
  readonly #revokes = new Map<string, AttemptRef[]>();
  #term = 0;

  push(effect: Effect): void {
    this.#effects.push(effect);
  }

  send(worker: string, message: ToWorker): void {
    this.#effects.push({ kind: 'send', worker, message, body: undefined });
  }

  assign(worker: string, term: number, assignment: Assignment): void {
    this.#term = term;
    add(this.#assigns, worker, assignment);
  }

  verdict(worker: string, job: string, attempt: string, verdict: Verdict['verdict']): void {
    add(this.#verdicts, worker, { job, attempt, verdict });
  }

  revoke(worker: string, job: string, attempt: string): void {
    add(this.#revokes, worker, { job, attempt });
  }

  drain(): Effect[] {
    const effects = this.#effects;
    const pack = <T>(from: Map<string, T[]>, make: (items: T[]) => { message: ToWorker; body: AssignBody | undefined }): void => {
      for (const [worker, items] of from) {
        for (let at = 0; at < items.length; at += MAX_BATCH)
          effects.push({ kind: 'send', worker, ...make(items.slice(at, at + MAX_BATCH)) });
      }
      from.clear();
    };
    pack(this.#verdicts, (verdicts) => ({ message: { type: 'verdicts', verdicts }, body: undefined }));
    pack(this.#revokes, (attempts) => ({ message: { type: 'revoke', attempts }, body: undefined }));
    pack(this.#assigns, (assignments) => ({ message: { type: 'assign', term: this.#term }, body: assignments }));
    this.#effects = [];
    return effects;
  }
}

function add<T>(to: Map<string, T[]>, worker: string, item: T): void {
  const items = to.get(worker);
  if (items === undefined) to.set(worker, [item]);
  else items.push(item);
}
