/** The classic field as an ONNX model, written byte by byte: protocol buffers need no library for a graph of twelve layers. */

const IR_VERSION = 8;
const OPSET = 13;
const FLOAT = 1;

/** Inputs `position` [n, 63] and `direction` [n, 27], already encoded; outputs `density` [n, 1] and `color` [n, 3]. Weights are noise of a fixed seed. */
export function classicOnnx(): Uint8Array {
  const graph: Uint8Array[] = [];
  const random = noise(1);
  const gemm = (input: string, output: string, inputs: number, outputs: number): void => {
    const bound = Math.sqrt(6 / inputs);
    const weights = Float32Array.from({ length: inputs * outputs }, () => bound * random());
    graph.push(field(5, tensor(`${output}.weight`, [outputs, inputs], weights)));
    graph.push(field(5, tensor(`${output}.bias`, [outputs], new Float32Array(outputs))));
    graph.push(field(1, node('Gemm', [input, `${output}.weight`, `${output}.bias`], output, [['transB', 1]])));
  };
  const relu = (input: string, output: string): void => {
    graph.push(field(1, node('Relu', [input], output)));
  };
  const concat = (inputs: string[], output: string): void => {
    graph.push(field(1, node('Concat', inputs, output, [['axis', 1]])));
  };
  let from = 'position';
  let width = 63;
  for (let layer = 0; layer < 8; layer++) {
    if (layer === 4) {
      concat(['position', from], 'skip');
      from = 'skip';
      width += 63;
    }
    gemm(from, `trunk${layer}`, width, 256);
    relu(`trunk${layer}`, `hidden${layer}`);
    from = `hidden${layer}`;
    width = 256;
  }
  gemm(from, 'density', 256, 1);
  gemm(from, 'feature', 256, 256);
  concat(['feature', 'direction'], 'seen');
  gemm('seen', 'view', 256 + 27, 128);
  relu('view', 'viewed');
  gemm('viewed', 'logit', 128, 3);
  graph.push(field(1, node('Sigmoid', ['logit'], 'color')));
  graph.push(field(2, text('classic')));
  graph.push(field(11, value('position', 63)), field(11, value('direction', 27)));
  graph.push(field(12, value('density', 1)), field(12, value('color', 3)));
  const opset = join([field(1, text('')), number(2, OPSET)]);
  return join([number(1, IR_VERSION), field(8, opset), field(7, join(graph))]);
}

function node(op: string, inputs: string[], output: string, attributes: [string, number][] = []): Uint8Array {
  const parts = inputs.map((input) => field(1, text(input)));
  parts.push(field(2, text(output)), field(3, text(`make_${output}`)), field(4, text(op)));
  // AttributeProto: name, the integer, and that it is one.
  for (const [key, setting] of attributes) parts.push(field(5, join([field(1, text(key)), number(3, setting), number(20, 2)])));
  return join(parts);
}

function tensor(name: string, dims: number[], data: Float32Array): Uint8Array {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return join([...dims.map((dim) => number(1, dim)), number(2, FLOAT), field(8, text(name)), field(9, raw)]);
}

function value(name: string, columns: number): Uint8Array {
  const shape = join([field(1, field(2, text('n'))), field(1, number(1, columns))]);
  return join([field(1, text(name)), field(2, field(1, join([number(1, FLOAT), field(2, shape)])))]);
}

// Protocol buffers: a key (field number, wire type), then a varint or a length and bytes.
function number(id: number, setting: number): Uint8Array {
  return join([varint(id << 3), varint(setting)]);
}

function field(id: number, bytes: Uint8Array): Uint8Array {
  return join([varint((id << 3) | 2), varint(bytes.length), bytes]);
}

function varint(setting: number): Uint8Array {
  const out: number[] = [];
  let rest = setting;
  while (rest >= 128) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return Uint8Array.from(out);
}

function text(string: string): Uint8Array {
  return new TextEncoder().encode(string);
}

function join(parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** Uniform in (−1, 1). */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
