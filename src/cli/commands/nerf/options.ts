import type { Command } from 'commander';
import { DafError } from '../../../core/contracts/errors.js';
import type { LookText } from '../../../fields/render/look-text.js';
import type { FieldBox, Vector3 } from '../../../fields/types.js';

/** `samplesPerRay` → `--samples-per-ray`: what errors of the SDK's options are called on a command line. */
export function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** What is given of some options, as text. */
export function texts<K extends string>(options: Record<string, unknown>, names: readonly K[]): Partial<Record<K, string>> {
  const given = names.filter((name) => options[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, String(options[name])])) as Partial<Record<K, string>>;
}

/** How rays are sampled, wherever a field is looked at. {@link lookTexts} takes them out again. */
export function addLookOptions(command: Command): void {
  command
    .option('--samples <n>', 'samples along the box’s longest edge (default: 256, for fine grids 512)')
    .option('--samples-per-ray <n>', 'equal strata of each ray instead')
    .option(
      '--importance [coarse,fine]',
      'two looks along each ray instead, for fields with a coarse network (where given bare: 64,128)',
    )
    .option('--near <depth>', 'where rays begin, for fields made between fixed bounds')
    .option('--far <depth>', 'where they end')
    .option('--precision <name>', 'fp32, bf16 or int8 (default: fp32)');
}

export function lookTexts(options: Record<string, unknown>): LookText {
  return texts(options, ['samples', 'samplesPerRay', 'importance', 'near', 'far', 'precision']);
}

/** A number within bounds. @param high itself allowed, where it is finite */
export function realNumber(
  name: string,
  low = Number.NEGATIVE_INFINITY,
  high = Number.POSITIVE_INFINITY,
): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value) && value >= low && value <= high) return value;
    const bounds =
      low === Number.NEGATIVE_INFINITY ? '' : high === Number.POSITIVE_INFINITY ? ` from ${low} on` : ` from ${low} to ${high}`;
    throw new DafError('ERR_DAF_BAD_OPTION', `${name} ${text}: expected a number${bounds}`);
  };
}

/** A box as six numbers: the lower corner, then the upper one. */
export function box(name: string): (text: string) => FieldBox {
  return (text) => {
    const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    const [min, max] = [numbers.slice(0, 3), numbers.slice(3)];
    if (numbers.length !== 6 || !numbers.every(Number.isFinite) || !min.every((low, axis) => low < max[axis]!)) {
      throw new DafError('ERR_DAF_BAD_OPTION', `${name} ${text}: expected six numbers, the lower, then the upper corner`, {
        hint: `${name}=-1.5,-1.5,-1.5,1.5,1.5,1.5`,
      });
    }
    return { min: min as unknown as Vector3, max: max as unknown as Vector3 };
  };
}
