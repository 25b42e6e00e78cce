import { DafError } from '../core/contracts/errors.js';
import type { CaptureFrame } from './capture/frames.js';

/**
 * What was measured on one photo; all that reduce needs, so that it never opens the photo. Pixels are the crop's: x right, y down,
 * (0,0) its top left corner, pixel centres at +0.5.
 */
export interface Observation {
  /** The photo's name as typed. */
  readonly photo: string;
  /** SHA-256 of the photo's bytes, hex: breaks ties of quality. */
  readonly contentHash: string;
  /** 0…1, see faces/quality. */
  readonly quality: number;
  /** Where the landmarks come from. */
  readonly source: 'model' | 'sidecar';
  readonly width: number;
  readonly height: number;
  /** The whole photo's longer side in crop pixels: what a focal length is guessed from. */
  readonly photoSide: number;
  /** The middle of the whole photo in crop pixels: where the lens looked. */
  readonly principal: readonly [number, number];
  /** [68][2] */
  readonly landmarks: readonly number[];
  /** [68] confidence, 0 leaves a landmark out. */
  readonly weights: readonly number[];
  /** The pose as the map task found it with the mean head; radians. */
  readonly pose: { readonly yaw: number; readonly pitch: number; readonly roll: number; readonly residual: number };
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  /** What an annotated data set says of it: attributes, split, licence. */
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Of a posed capture: its frame, and [68][2] landmarks in pixels of the whole photo. */
  readonly capture?: (CaptureFrame & { readonly landmarks: readonly number[] }) | undefined;
  /** Lossless RGBA image of width × height; alpha is the matte: 255 is head, hair or neck. Colour stands below alpha 0 too. */
  readonly image: Uint8Array;
}

export const MAX_CROP = 768;
const VERSION = 1;
const KIND_OBSERVATION = 0;
const KIND_REFUSAL = 1;
const PREFIX = 8;
const MAX_JSON = 64 << 10;
const MAX_IMAGE = 8 << 20;

/** Version, kind 0, two zero bytes, little-endian uint32 length of the header; then header and image. */
export function encodeObservation(observation: Observation): Uint8Array {
  const { image, ...header } = observation;
  const json = new TextEncoder().encode(JSON.stringify(header));
  if (json.length > MAX_JSON || image.length > MAX_IMAGE) {
    throw new DafError('ERR_DAF_INTERNAL', `the observation of ${observation.photo} exceeds its bounds`);
  }
  const out = new Uint8Array(PREFIX + json.length + image.length);
  out.set([VERSION, KIND_OBSERVATION]);
  new DataView(out.buffer).setUint32(4, json.length, true);
  out.set(json, PREFIX);
  out.set(image, PREFIX + json.length);
  return out;
}

/**
 * Reads what {@link encodeObservation} wrote. The image is a copy, so the record's bytes may be reused.
 * @throws DafError ERR_DAF_BAD_DATA for anything else.
 */
export function decodeObservation(bytes: Uint8Array): Observation {
  const { header, start } = split(bytes);
  return { ...header, image: bytes.slice(start) };
}

/** Quality and content hash alone: what choosing the best needs. @throws DafError ERR_DAF_BAD_DATA */
export function observationRank(bytes: Uint8Array): { readonly quality: number; readonly contentHash: string } {
  return split(bytes).header;
}

function split(bytes: Uint8Array): { header: Omit<Observation, 'image'>; start: number } {
  if (bytes.length < PREFIX || bytes[0] !== VERSION || bytes[1] !== KIND_OBSERVATION) {
    throw bad(`it begins with ${bytes.subarray(0, 2).join(' ')}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const json = view.getUint32(4, true);
  const start = PREFIX + json;
  if (json > MAX_JSON || start >= bytes.length || bytes.length - start > MAX_IMAGE) {
    throw bad('its lengths do not add up');
  }
  let header: Omit<Observation, 'image'>;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(PREFIX, start)));
  } catch (cause) {
    throw bad('its header is not JSON', cause);
  }
  const { width, height, landmarks, weights, quality } = header;
  const sized = [width, height].every((side) => Number.isInteger(side) && side > 0 && side <= MAX_CROP);
  if (!sized || !numbers(landmarks, 136) || !numbers(weights, 68) || !Number.isFinite(quality)) {
    throw bad('a value of its header is missing or out of bounds');
  }
  if (
    !numbers(header.principal, 2) ||
    !(header.photoSide > 0) ||
    typeof header.contentHash !== 'string' ||
    typeof header.photo !== 'string'
  ) {
    throw bad('a value of its header is missing or out of bounds');
  }
  const { capture } = header;
  if (capture !== undefined) {
    const named = typeof capture?.scene === 'string' && typeof capture.frame === 'string';
    if (!named || !numbers(capture.landmarks, 136)) throw bad('its frame of a capture is damaged');
  }
  return { header, start };
}

function numbers(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length && value.every(Number.isFinite);
}

function bad(why: string, cause?: unknown): DafError {
  return new DafError('ERR_DAF_BAD_DATA', `not an observation: ${why}`, { cause });
}

/** A photo of a person that could not be used: travels with the observations, so that the person's report can name it. */
export interface Refusal {
  readonly photo: string;
  readonly code: string;
  readonly message: string;
}

const MAX_MESSAGE = 500;

/** Version, kind 1, then JSON. */
export function encodeRefusal({ photo, code, message }: Refusal): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify({ photo, code, message: message.slice(0, MAX_MESSAGE) }));
  const out = new Uint8Array(2 + json.length);
  out.set([VERSION, KIND_REFUSAL]);
  out.set(json, 2);
  return out;
}

/** A person's values, sorted out. */
export interface PersonValues {
  /** Encoded, best first, at most `keep`. */
  readonly best: readonly Uint8Array[];
  /** Sorted by photo. */
  readonly refusals: readonly Refusal[];
}

/**
 * The best `keep` of a person's observations: quality descending, then content hash, so that the choice depends neither on the
 * order of arrival nor on how often combine ran. A photo given twice counts once. Refusals are all kept.
 * @throws DafError ERR_DAF_BAD_DATA
 */
export function bestObservations(values: Iterable<Uint8Array>, keep: number): PersonValues {
  const best: { readonly quality: number; readonly contentHash: string; readonly bytes: Uint8Array }[] = [];
  const refusals: Refusal[] = [];
  for (const value of values) {
    if (value[0] === VERSION && value[1] === KIND_REFUSAL) {
      refusals.push(JSON.parse(new TextDecoder().decode(value.subarray(2))) as Refusal);
      continue;
    }
    const { quality, contentHash } = observationRank(value);
    if (best.some((other) => other.contentHash === contentHash)) continue;
    const at = best.findIndex(
      (other) => quality > other.quality || (quality === other.quality && contentHash < other.contentHash),
    );
    if (at < 0 && best.length >= keep) continue;
    // Values are borrowed from the merge until the next step.
    best.splice(at < 0 ? best.length : at, 0, { quality, contentHash, bytes: value.slice() });
    if (best.length > keep) best.pop();
  }
  refusals.sort((a, b) => (a.photo < b.photo ? -1 : a.photo > b.photo ? 1 : 0));
  return { best: best.map((entry) => entry.bytes), refusals };
}
