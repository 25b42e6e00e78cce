import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DafError, type DafErrorCode, toWire } from '../core/contracts/errors.js';
import { photoPath } from '../faces/datasets/folder.js';
import { MAX_MEMBER_BYTES, readMember } from '../faces/datasets/shards/member.js';
import { sidecarPaths } from '../faces/vision/sidecar.js';
import type { InputRecord, PhotoRecord } from './input.js';

/** A photo and the landmarks beside it, which travel with the record to workers that do not see the files. */
export interface SentFiles {
  readonly photo: Uint8Array;
  readonly sidecar: { readonly name: string; readonly bytes: Uint8Array } | null;
}

/** Why a photo could not be sent: the worker refuses it, as it would have, had it opened the file. */
export interface Unsent {
  readonly fault: { readonly code: DafErrorCode; readonly message: string; readonly hint: string | null };
}

/** Landmark files are a few kilobytes; a larger one is sent as its beginning, which no parser takes for one. */
const MAX_SIDECAR = (1 << 20) + 1;

/** The record with its files in it. What cannot be read is the worker's to refuse, so that every photo is refused in one place. */
export async function withFiles(record: InputRecord): Promise<InputRecord> {
  if ('refused' in record) return record;
  try {
    return { ...record, sent: await readFiles(record) };
  } catch (error) {
    const { code, message, hint } = toWire(DafError.from(error, 'ERR_DAF_IO'));
    return { ...record, sent: { fault: { code, message, hint } } };
  }
}

async function readFiles(record: PhotoRecord): Promise<SentFiles> {
  const { path, member, sidecar } = record;
  if (member !== undefined) {
    const beside = sidecar ? { name: sidecar.name, bytes: await readMember(path, sidecar.member) } : null;
    return { photo: await readMember(path, member), sidecar: beside };
  }
  return { photo: await readPhoto(photoPath(record)), sidecar: await readSidecar(photoPath(record)) };
}

async function readPhoto(path: string | Buffer): Promise<Uint8Array> {
  await using handle = await openFile(path);
  const { size } = await handle.stat();
  if (size > MAX_MEMBER_BYTES) {
    throw new DafError('ERR_DAF_IMAGE_TOO_LARGE', `it is a file of ${Math.ceil(size / 2 ** 20)} MB`, {
      hint: `files of up to ${MAX_MEMBER_BYTES >> 20} MB are sent`,
    });
  }
  return readUpTo(handle, size);
}

async function readSidecar(path: string | Buffer): Promise<SentFiles['sidecar']> {
  for (const candidate of sidecarPaths(path)) {
    try {
      await using handle = await openFile(candidate);
      return { name: candidate.toString(), bytes: await readUpTo(handle, MAX_SIDECAR) };
    } catch (error) {
      if (DafError.from(error, 'ERR_DAF_IO').code !== 'ERR_DAF_NOT_FOUND') throw error;
    }
  }
  return null;
}

/** Never a pipe or a device, which could be read for ever. */
async function openFile(path: string | Buffer): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new DafError('ERR_DAF_BAD_IMAGE', 'not a regular file');
}

async function readUpTo(handle: FileHandle, bytes: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(bytes);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await handle.read(buffer, at, bytes - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return buffer.subarray(0, at);
}
