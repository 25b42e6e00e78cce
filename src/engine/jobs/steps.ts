import type { JobDefinition, StepCode, StepDefinition } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';

/** A step with the names it reads resolved. What the client submits and what a task thread runs are made from the same list. */
export interface CompiledStep {
  readonly name: string;
  readonly from: readonly number[];
  readonly given: readonly number[];
  /** The step whose records are this one's cut points; null: partitioned by key. */
  readonly cuts: number | null;
  /** True: it runs the map of the totally ordered step behind it on a sample, and puts out cut points. */
  readonly samples: boolean;
  /** Null: as many as the job is submitted with. */
  readonly reducers: number | null;
  readonly code: StepCode;
}

/**
 * The steps of a job in order: its own, and before each totally ordered one the step that samples its keys.
 * @throws DafError ERR_DAF_BAD_JOB when a step reads one that does not stand before it
 */
export function compileSteps(definition: JobDefinition): CompiledStep[] {
  const compiled: CompiledStep[] = [];
  const places = new Map<string, number>();
  for (const step of definition.steps ?? [{ ...definition, name: 'main' }]) {
    const find = (name: string): number => {
      const place = places.get(name);
      if (place !== undefined) return place;
      throw new DafError('ERR_DAF_BAD_JOB', `${definition.name}: step ${step.name} reads ${JSON.stringify(name)}`, {
        hint: 'a step can read steps that stand before it',
      });
    };
    const from = (step.from ?? []).map(find);
    const given = (step.given ?? []).map(find);
    const code: StepCode = step;
    const common = { from, given, code };
    if (step.order === 'total' && step.reducers !== 1) {
      compiled.push({ ...common, name: `${step.name}.cuts`, cuts: null, samples: true, reducers: 1 });
      const cuts = compiled.length - 1;
      compiled.push({ ...common, ...named(step), given: [...given, cuts], cuts, samples: false });
    } else compiled.push({ ...common, ...named(step), cuts: null, samples: false });
    places.set(step.name, compiled.length - 1);
  }
  return compiled;
}

function named({ name, reducers }: StepDefinition): Pick<CompiledStep, 'name' | 'reducers'> {
  return { name, reducers: reducers ?? null };
}

export function hasReduce({ reduce, reduceGroups }: Pick<StepCode, 'reduce' | 'reduceGroups'>): boolean {
  return reduce !== undefined || reduceGroups !== undefined;
}
