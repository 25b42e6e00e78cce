import { ZSTDDecoder } from 'zstddec/stream';
import { DafError } from '../../../core/contracts/errors.js';

/** What of zstd is in zstddec's WebAssembly. Addresses are of its memory; sizes that are errors come out negative. */
interface Zstd {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  free(at: number): void;
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): number;
  ZSTD_DStreamOutSize(): number;
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

/** zstddec's own loop stands still at damaged data, and takes its memory with it: this class lends only what is loaded. */
class Loader extends ZSTDDecoder {
  zstd: Zstd | null = null;

  override _init = (source: unknown): void => {
    this.zstd = (source as { readonly instance: { readonly exports: Zstd } }).instance.exports;
  };
}

let loading: Promise<Zstd> | null = null;

/** Loaded once for a thread. */
export function loadZstd(): Promise<Zstd> {
  loading ??= (async () => {
    const loader = new Loader();
    await loader.init();
    if (loader.zstd === null) throw new DafError('ERR_DAF_INTERNAL', 'the zstd decoder was loaded by somebody else');
    return loader.zstd;
  })();
  return loading;
}

/** Memory that all decoders of this thread have taken so far, bytes: it is used again, and never given back to the system. */
export function zstdMemory({ memory }: Zstd): number {
  return memory.buffer.byteLength;
}

/** Why unpacking stopped. */
export class ZstdStopped extends Error {
  readonly why: 'damaged' | 'incomplete';

  constructor(why: 'damaged' | 'incomplete', message: string) {
    super(message);
    this.why = why;
  }
}

/** {src or dst, size, pos} of zstd.h: three words. */
const BUFFER_BYTES = 12;

/**
 * Unpacks frames that lie one after the other. The next chunk is taken when the one before is used up; a piece of output, often empty, is
 * yielded for each call of zstd. However it ends, all its memory is free again.
 * @throws ZstdStopped
 */
export function* unpackFrames(zstd: Zstd, chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  const room = zstd.ZSTD_DStreamOutSize();
  const context = zstd.ZSTD_createDCtx();
  const target = zstd.malloc(room);
  const output = zstd.malloc(BUFFER_BYTES);
  const input = zstd.malloc(BUFFER_BYTES);
  const held = [target, output, input];
  try {
    if (context === 0 || held.includes(0)) throw new DafError('ERR_DAF_MEMORY_LIMIT', 'there is no memory to unpack zstd in');
    let rest = 0;
    for (const chunk of chunks) {
      const source = zstd.malloc(chunk.length);
      held.push(source);
      if (source === 0) throw new DafError('ERR_DAF_MEMORY_LIMIT', 'there is no memory to unpack zstd in');
      new Uint8Array(zstd.memory.buffer).set(chunk, source);
      setBuffer(zstd, input, source, chunk.length);
      while (position(zstd, input) < chunk.length) {
        setBuffer(zstd, output, target, room);
        rest = zstd.ZSTD_decompressStream(context, output, input);
        if (rest < 0) throw new ZstdStopped('damaged', `zstd error ${-rest}`);
        yield new Uint8Array(zstd.memory.buffer).slice(target, target + position(zstd, output));
      }
      zstd.free(held.pop()!);
    }
    if (rest !== 0) throw new ZstdStopped('incomplete', 'the data end within a frame');
  } finally {
    for (const at of held) if (at !== 0) zstd.free(at);
    if (context !== 0) zstd.ZSTD_freeDCtx(context);
  }
}

function setBuffer({ memory }: Zstd, at: number, bytes: number, size: number): void {
  const view = new DataView(memory.buffer);
  view.setUint32(at, bytes, true);
  view.setUint32(at + 4, size, true);
  view.setUint32(at + 8, 0, true);
}

function position({ memory }: Zstd, at: number): number {
  return new DataView(memory.buffer).getUint32(at + 8, true);
}
