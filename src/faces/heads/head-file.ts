import { writeFile } from 'node:fs/promises';

export type HeadTensor =
  | { readonly dtype: 'F32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'F16'; readonly shape: readonly number[]; readonly data: Uint16Array }
  | { readonly dtype: 'U32'; readonly shape: readonly number[]; readonly data: Uint32Array };

/** A head model as head.safetensors holds it: see native/head/head_model.h, which reads it. */
export interface HeadFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, HeadTensor>>;
}

/** Writes a safetensors file: length, header, tensors in their order. The same model gives the same bytes. */
export async function writeHeadFile(path: string, { metadata, tensors }: HeadFile): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, ' ');
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const bytes = ({ data }: HeadTensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  await writeFile(path, [length, padded, ...Object.values(tensors).map(bytes)]);
}
