import type { ModelFile } from '../types.js';
import type { OnnxHeader, TensorShape } from './onnx-header.js';

export type AdapterName = ModelFile['adapter'];
export type ModelRole = 'detector' | 'landmarks';

export const ROLE_OF: Readonly<Record<AdapterName, ModelRole>> = {
  yunet: 'detector',
  ultraface: 'detector',
  peppa68: 'landmarks',
  daf68: 'landmarks',
};

/** What each adapter takes, for the message that refuses a model. */
export const EXPECTED: Readonly<Record<ModelRole, string>> = {
  detector:
    'YuNet (input [1,3,H,W] with H, W multiples of 32; outputs cls_, obj_, bbox_ and kps_ at 8, 16, 32) or UltraFace ' +
    '(input [1,3,H,W]; outputs scores [1,N,2], boxes [1,N,4])',
  landmarks:
    'a 68-point landmarker (input [1,3,160,160]; output [1,143], of which the first 136 are points) or one that DAF trained ' +
    '(input [1,3,S,S]; outputs points [1,136], face [1,1])',
};

/** The adapter that a model's inputs and outputs call for, or null. */
export function identifyModel(header: OnnxHeader): AdapterName | null {
  const [input] = header.inputs;
  if (header.inputs.length !== 1 || input === undefined || !isImage(input)) return null;
  const outputs = new Map(header.outputs.map((output) => [output.name, output]));
  if ([...outputs.values()].some((output) => !output.float32)) return null;
  if (isYunet(input, outputs)) return 'yunet';
  if (fixed(input) && ends(outputs.get('scores'), 2) && ends(outputs.get('boxes'), 4)) return 'ultraface';
  if (isDaf68(input, outputs)) return 'daf68';
  const [output] = header.outputs;
  const square = input.dims[2] === 160 && input.dims[3] === 160;
  if (square && header.outputs.length === 1 && output?.dims.length === 2 && output.dims[1] === 143) return 'peppa68';
  return null;
}

/** For messages: `input [1,3,?,?] → scores [1,4420,2], …`. */
export function describeHeader(header: OnnxHeader): string {
  const one = (tensor: TensorShape): string => `${tensor.name} [${tensor.dims.map((dim) => dim ?? '?').join(',')}]`;
  const list = (tensors: readonly TensorShape[]): string =>
    `${tensors.slice(0, 4).map(one).join(', ')}${tensors.length > 4 ? `, … (${tensors.length})` : ''}`;
  return `${list(header.inputs)} → ${list(header.outputs)}`.slice(0, 400);
}

function isImage(input: TensorShape): boolean {
  const [batch, channels] = input.dims;
  return input.float32 && input.dims.length === 4 && (batch === 1 || batch === null) && channels === 3;
}

function fixed(input: TensorShape): boolean {
  return input.dims[2] != null && input.dims[3] != null;
}

function ends(output: TensorShape | undefined, last: number): boolean {
  return output !== undefined && output.dims.length === 3 && output.dims[2] === last;
}

function isDaf68(input: TensorShape, outputs: ReadonlyMap<string, TensorShape>): boolean {
  const [points, face] = [outputs.get('points'), outputs.get('face')];
  return fixed(input) && input.dims[2] === input.dims[3] && points?.dims[1] === 136 && face?.dims[1] === 1;
}

function isYunet(input: TensorShape, outputs: ReadonlyMap<string, TensorShape>): boolean {
  const whole = input.dims.slice(2).every((side) => side == null || side % 32 === 0);
  const has = (prefix: string, last: number): boolean => [8, 16, 32].every((s) => ends(outputs.get(`${prefix}_${s}`), last));
  return whole && has('cls', 1) && has('obj', 1) && has('bbox', 4) && has('kps', 10);
}
