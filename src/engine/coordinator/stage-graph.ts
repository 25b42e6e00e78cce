import { countOf, runLengths } from '../../core/contracts/generations.js';
import type { JobSpec, TaskId, TaskStage } from '../../core/contracts/job.js';
import { outputsOf, placeOf, readsOf, reservedBytes } from '../../core/contracts/step.js';
import type { HeldCopy, Outcome, TaskRead } from '../../core/contracts/task.js';
import { TASK, TaskTable } from './task-table.js';

type Done = Extract<Outcome, { kind: 'done' }>;

/** Runs of generations in one message: 18 bytes at most each, a header takes 64 KB. */
const MAX_RUNS = 2048;

interface Node {
  readonly table: TaskTable;
  /** Stages that have to be complete before tasks of this one are given out. */
  readonly after: TaskTable[];
  /** Stages whose tasks read what these leave. */
  readonly readers: TaskTable[];
}

/** The stages of a job and how they read each other: a map reads the steps before, a reduce its maps, finalize comes after all. */
export class StageGraph {
  /** In task order: by step; map, reduce, and finalize at the end. */
  readonly tables: readonly TaskTable[];
  readonly #spec: JobSpec;
  readonly #nodes: readonly Node[];

  constructor(spec: JobSpec) {
    this.#spec = spec;
    const nodes: Node[] = [];
    const tableOf = (step: number, stage: TaskStage, total: number): TaskTable =>
      new TaskTable(step, stage, total, reservedBytes(spec, { step, stage }));
    const add = (table: TaskTable, reads: readonly TaskTable[]): TaskTable => {
      nodes.push({ table, after: [...reads], readers: [] });
      for (const read of reads) nodes.find((each) => each.table === read)!.readers.push(table);
      return table;
    };
    const outputs: TaskTable[] = [];
    for (const [step, { splits, reducers, from, given }] of spec.steps.entries()) {
      const side = given.map((each) => outputs[each]!);
      const map = add(tableOf(step, 'map', splits), [...new Set([...from.map((each) => outputs[each]!), ...side])]);
      const reduce = add(tableOf(step, 'reduce', reducers), reducers > 0 ? [map, ...side] : []);
      outputs.push(outputsOf(spec, step).stage === 'reduce' ? reduce : map);
    }
    const finalize = tableOf(spec.steps.length - 1, 'finalize', spec.hasFinalize ? 1 : 0);
    nodes.push({ table: finalize, after: nodes.map(({ table }) => table), readers: [] });
    this.#nodes = nodes;
    this.tables = nodes.map(({ table }) => table);
  }

  /** Undefined for a task that the job cannot have. */
  find({ step, stage, index }: TaskId): TaskTable | undefined {
    const at = stage === 'finalize' ? this.tables.length - 1 : 2 * step + (stage === 'reduce' ? 1 : 0);
    const table = this.tables[at];
    return table !== undefined && table.step === step && table.stage === stage && index < table.total ? table : undefined;
  }

  get complete(): boolean {
    return this.tables.every(isComplete);
  }

  /** The table at this place has tasks to give out: all that they read is there. */
  isOpen(at: number): boolean {
    const { table, after } = this.#nodes[at]!;
    return (table.ready > 0 || table.wantedBackups > 0) && after.every(isComplete);
  }

  /** True when a task says that it read all that it has to: one that read less would under-count. */
  readsAreComplete(task: TaskId, { reads }: Done): boolean {
    const wanted = readsOf(this.#spec, task);
    return (
      reads.length === wanted.length &&
      wanted.every(({ step, stage, from, count }, i) => {
        const read = reads[i]!;
        const same = read.step === step && read.stage === stage && read.from === from && read.count === count;
        return same && countOf(read.generations) === count;
      })
    );
  }

  /** True when the outcome read the generations that stand now. */
  readsAreCurrent({ reads }: Done): boolean {
    return reads.every(({ step, stage, from, generations }) => {
      const table = this.find({ step, stage, index: from });
      if (table === undefined) return generations.length === 0;
      let index = from;
      for (const [generation, count] of generations) {
        for (const end = Math.min(table.total, index + count); index < end; index++) {
          if (table.generation[index] !== generation) return false;
        }
      }
      return true;
    });
  }

  /** Committed tasks that have read this one. */
  *readersOf({ step, stage, index }: TaskId): Iterable<TaskId> {
    const node = this.#nodes.find(({ table }) => table.step === step && table.stage === stage)!;
    for (const table of node.readers) {
      for (let reader = 0; reader < table.total; reader++) {
        if (table.state[reader] !== TASK.committed) continue;
        const id = table.id(reader);
        const covers = readsOf(this.#spec, id).some(
          (read) => read.step === step && read.stage === stage && index >= read.from && index < read.from + read.count,
        );
        if (covers) yield id;
      }
    }
  }

  /** The map tasks of later steps that read what this task holds, and nothing else: best run where it lies. */
  *mappersOf({ step, stage, index }: TaskId): Iterable<readonly [TaskTable, number]> {
    if (outputsOf(this.#spec, step).stage !== stage) return;
    for (const [reader, { from }] of this.#spec.steps.entries()) {
      if (!from.includes(step)) continue;
      let before = 0;
      for (const each of from.slice(0, from.indexOf(step))) before += outputsOf(this.#spec, each).count;
      yield [this.find({ step: reader, stage: 'map', index: 0 })!, before + index];
    }
  }

  /** Where the output of a task can be read without a network: its readers among {@link mappersOf} are best run there, whichever copy it is. */
  noteHomes(task: TaskId, copies: readonly Pick<HeldCopy, 'host'>[]): void {
    if (copies.length === 0) return;
    const hosts = new Set(copies.map(({ host }) => host));
    for (const [readers, reader] of this.mappersOf(task)) for (const host of hosts) readers.setHome(reader, host);
  }

  /** What no task will read any more, each once: all its readers are committed. What lies in the output store stays until the end. */
  takeDroppable(): TaskRead[] {
    const droppable: TaskRead[] = [];
    for (const { table, readers } of this.#nodes) {
      if (table.dropped || readers.length === 0 || !table.complete || !readers.every((each) => each.complete)) continue;
      table.dropped = true;
      const { step, stage, total: count } = table;
      const isOutput = outputsOf(this.#spec, step).stage === stage;
      const isStored = isOutput ? placeOf(this.#spec, step) === 'store' : this.#spec.intermediate === 'blob';
      if (count > 0 && !isStored) {
        droppable.push(...messages({ step, stage, from: 0, count, generations: runLengths(table.generation) }));
      }
    }
    return droppable;
  }
}

/** Cuts a range so that each part is small enough for a header. */
function* messages({ step, stage, from, generations }: TaskRead): Generator<TaskRead> {
  for (let at = 0, next = from; at < generations.length; at += MAX_RUNS) {
    const part = generations.slice(at, at + MAX_RUNS);
    yield { step, stage, from: next, count: countOf(part), generations: part };
    next += countOf(part);
  }
}

function isComplete(table: TaskTable): boolean {
  return table.complete;
}
