import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DafError } from '../../../core/contracts/errors.js';
import type { SplitPiece } from '../../../core/contracts/job.js';
import type { ByteSource } from './source.js';
import type { Unpacked } from './unpack.js';

const CHUNK = 256 << 10;

/** What a gzip file (all its members) unpacks to. @throws DafError ERR_DAF_BAD_DATA for a damaged one */
export async function* gunzipped(piece: SplitPiece, packed: ByteSource): Unpacked {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  const bytes = Readable.from(packedChunks(piece, packed), { objectMode: false });
  bytes.on('error', (error) => gunzip.destroy(error));
  const stream = bytes.pipe(gunzip);
  try {
    yield* stream;
  } catch (error) {
    if (DafError.is(error)) throw error;
    const why = `input ${piece.name} is no whole gzip file: ${(error as Error).message}`;
    throw new DafError('ERR_DAF_BAD_DATA', why, { cause: error });
  } finally {
    stream.destroy();
  }
}

async function* packedChunks(piece: SplitPiece, packed: ByteSource): AsyncGenerator<Buffer> {
  for (let at = 0; at < piece.fileLength; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, piece.fileLength - at));
    const got = await packed.read(chunk, 0, chunk.length, at);
    if (got === 0) return;
    at += got;
    yield chunk.subarray(0, got);
  }
}
