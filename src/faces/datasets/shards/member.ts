import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { DafError } from '../../../core/contracts/errors.js';

/** Where a file lies in an archive, so that it can be read without the rest of it. */
export interface ArchiveMember {
  /** `stored`: the bytes begin at `offset`. `zip`, `zip-deflate`: the member's local header does. */
  readonly kind: 'stored' | 'zip' | 'zip-deflate';
  readonly offset: number;
  /** Bytes in the archive. */
  readonly packed: number;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Null: the format keeps none. */
  readonly crc32: number | null;
}

/** A photo is held as it is packed beside what it decodes to, so it is bounded: no camera writes a JPEG of this size. */
export const MAX_MEMBER_BYTES = 64 << 20;

const LOCAL_HEADER = 30;
const SIGNATURE = 0x04034b50;

/**
 * One file out of an archive.
 * @throws DafError ERR_DAF_IMAGE_TOO_LARGE, ERR_DAF_BAD_IMAGE (cut, or damaged on the way), ERR_DAF_NOT_FOUND, ERR_DAF_PERMISSION, ERR_DAF_IO.
 */
export async function readMember(archive: string, member: ArchiveMember): Promise<Uint8Array> {
  const largest = Math.max(member.bytes, member.packed);
  if (largest > MAX_MEMBER_BYTES) {
    const hint = `files of up to ${MAX_MEMBER_BYTES >> 20} MB are read out of archives; unpack it`;
    throw new DafError('ERR_DAF_IMAGE_TOO_LARGE', `it is a file of ${Math.ceil(largest / 2 ** 20)} MB`, { hint });
  }
  let packed: Uint8Array;
  try {
    await using handle = await open(archive);
    const start = member.kind === 'stored' ? member.offset : await dataStart(handle, member.offset);
    packed = await readAt(handle, start, member.packed);
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  }
  const bytes = member.kind === 'zip-deflate' ? await inflate(packed, member.bytes) : packed;
  if (bytes.length !== member.bytes || (member.crc32 !== null && crc32(bytes) !== member.crc32)) {
    throw damaged('its bytes are not those that were packed');
  }
  return bytes;
}

/** A zip member's data follow its local header, whose length the directory does not tell. */
async function dataStart(handle: FileHandle, offset: number): Promise<number> {
  const header = await readAt(handle, offset, LOCAL_HEADER);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== SIGNATURE) throw damaged('no file begins where the directory says');
  return offset + LOCAL_HEADER + view.getUint16(26, true) + view.getUint16(28, true);
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw damaged('the archive ends in it');
    done += bytesRead;
  }
  return bytes;
}

const inflateAsync = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw);

async function inflate(packed: Uint8Array, bytes: number): Promise<Uint8Array> {
  try {
    // What inflates to more than the directory says is refused when it does, not when memory is gone.
    return await inflateAsync(packed, { maxOutputLength: Math.max(1, bytes) });
  } catch (cause) {
    throw damaged('it does not inflate to what the directory says', cause);
  }
}

function damaged(what: string, cause?: unknown): DafError {
  return new DafError('ERR_DAF_BAD_IMAGE', what, { hint: 'fetch or copy the archive again', cause });
}
