import { createReadStream } from 'node:fs';
import { extract } from 'tar-stream';
import { type Entry, openPromise } from 'yauzl';
import { DafError } from '../../../core/contracts/errors.js';
import type { ArchiveMember } from './member.js';

/** A file in an archive; a string says why it cannot be read out of it. */
export interface ListedMember {
  /** As the archive has it, `/` between folders. */
  readonly name: string;
  readonly member: ArchiveMember | string;
}

/** The archives that members can be read from one by one. */
export const SHARD = /\.(tar|zip)$/i;
/** Those that would have to be unpacked from their beginning for each photo. */
export const PACKED_SHARD = /\.(tar\.(gz|bz2|xz|zst)|tgz|tbz2?|txz|7z|rar)$/i;

/**
 * The files of an archive, in its order. A tar is read through once, a zip's directory alone.
 * @throws DafError ERR_DAF_BAD_DATA: damaged or cut; what was listed until then is there. ERR_DAF_NOT_FOUND, ERR_DAF_PERMISSION, ERR_DAF_IO.
 */
export async function* listShard(path: string): AsyncGenerator<ListedMember> {
  try {
    yield* path.toLowerCase().endsWith('.zip') ? listZip(path) : listTar(path);
  } catch (cause) {
    // What the system says has its own code; all else is the archive's fault.
    if (cause instanceof Error && 'syscall' in cause) throw DafError.from(cause, 'ERR_DAF_IO');
    throw new DafError('ERR_DAF_BAD_DATA', `the archive is damaged: ${(cause as Error).message}`, {
      hint: 'fetch or copy it again',
      cause,
    });
  }
}

async function* listTar(path: string): AsyncGenerator<ListedMember> {
  const parser = extract();
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  file.on('error', (error) => parser.destroy(error));
  file.pipe(parser);
  try {
    for await (const entry of parser) {
      const { name, type, size = 0, byteOffset } = entry.header as typeof entry.header & { byteOffset: number };
      entry.resume();
      if (type === 'directory') continue;
      if (type !== 'file' && type !== 'contiguous-file') yield { name, member: `a ${type ?? 'thing'}, not a regular file` };
      else yield { name, member: { kind: 'stored', offset: byteOffset, packed: size, bytes: size, crc32: null } };
    }
  } finally {
    file.destroy();
  }
}

async function* listZip(path: string): AsyncGenerator<ListedMember> {
  const zip = await openPromise(path);
  try {
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith('/')) yield { name: entry.fileName, member: zipMember(entry) };
    }
  } finally {
    zip.close();
  }
}

const STORED = 0;
const DEFLATED = 8;

function zipMember(entry: Entry): ArchiveMember | string {
  if (entry.isEncrypted()) return 'it is encrypted';
  const { compressionMethod, relativeOffsetOfLocalHeader: offset, compressedSize: packed, uncompressedSize: bytes } = entry;
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED)
    return `it is packed by method ${compressionMethod}, not by deflate`;
  return { kind: compressionMethod === STORED ? 'zip' : 'zip-deflate', offset, packed, bytes, crc32: entry.crc32 };
}
