import type { CommandSpec } from '../../command.js';
import { evaluateField } from './eval.js';
import { importWeights } from './import.js';
import { meshFieldCommand } from './mesh.js';
import { renderField } from './render.js';
import { trainField } from './train.js';

/** `daf nerf …`, in the order in which its help lists them. */
export const nerf: readonly CommandSpec[] = [trainField, evaluateField, renderField, meshFieldCommand, importWeights];
