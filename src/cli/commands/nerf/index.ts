import type { CommandSpec } from '../../command.js';
import { evaluateField } from './eval.js';
import { importWeights } from './import.js';
import { meshFieldCommand } from './mesh.js';
import { renderField } from './render.js';

/** `daf nerf …`, in the order in which its help lists them. */
export const nerf: readonly CommandSpec[] = [evaluateField, renderField, meshFieldCommand, importWeights];
