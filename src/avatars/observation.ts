import { DafError } from '../core/contracts/errors.js';

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
  readonly source: 'detector' | 'side-car';
  readonly width: number;
  readonly height: number;
  /** Pixels of the photo that one pixel of the crop spans; more than 1 where the face was larger than the crop may be. */
  readonly photoPixels: number;
  /** The middle of the whole photo in crop pixels: where the lens looked. */
  readonly principal: readonly [number, number];
  /** [68][2] */
  readonly landmarks: readonly number[];
  /** [68] confidence, 0 leaves a landmark out. */
  readonly weights: readonly number[];
  /** The pose as the map task found it with the mean head; radians. */
  readonly pose: { readonly yaw: number; readonly pitch: number; readonly roll: number; readonly residual: number };
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  /** Lossless image of width × height, no metadata. */
  readonly crop: Uint8Array;
  /** Gray image of width × height: 255 is head, hair or neck. */
  readonly matte: Uint8Array;
}

export const MAX_CROP = 768;
const VERSION = 1;
const PREFIX = 16;
const MAX_JSON = 64 << 10;
const MAX_IMAGE = 6 << 20;

/** Version byte, three zero bytes, little-endian uint32 lengths of header, crop and matte; then these three. */
export function encodeObservation(observation: Observation): Uint8Array {
  const { crop, matte, ...header } = observation;
  const json = new TextEncoder().encode(JSON.stringify(header));
  if (json.length > MAX_JSON || crop.length > MAX_IMAGE || matte.length > MAX_IMAGE) {
    throw new DafError('ERR_DAF_INTERNAL', `the observation of ${observation.photo} exceeds its bounds`);
  }
  const out = new Uint8Array(PREFIX + json.length + crop.length + matte.length);
  out[0] = VERSION;
  const view = new DataView(out.buffer);
  view.setUint32(4, json.length, true);
  view.setUint32(8, crop.length, true);
  view.setUint32(12, matte.length, true);
  out.set(json, PREFIX);
  out.set(crop, PREFIX + json.length);
  out.set(matte, PREFIX + json.length + crop.length);
  return out;
}

/**
 * Reads what {@link encodeObservation} wrote. The images are copies, so the record's bytes may be reused.
 * @throws DafError ERR_DAF_BAD_DATA for anything else.
 */
export function decodeObservation(bytes: Uint8Array): Observation {
  const { header, images } = split(bytes);
  const [cropLength, matteLength] = images;
  const start = bytes.length - cropLength - matteLength;
  return { ...header, crop: bytes.slice(start, start + cropLength), matte: bytes.slice(start + cropLength) };
}

/** Quality and content hash alone: what choosing the best needs. @throws DafError ERR_DAF_BAD_DATA */
export function observationRank(bytes: Uint8Array): { readonly quality: number; readonly contentHash: string } {
  return split(bytes).header;
}

function split(bytes: Uint8Array): { header: Omit<Observation, 'crop' | 'matte'>; images: readonly [number, number] } {
  if (bytes.length < PREFIX || bytes[0] !== VERSION) throw bad(`version ${bytes[0] ?? 'missing'} is not ${VERSION}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [json, crop, matte] = [view.getUint32(4, true), view.getUint32(8, true), view.getUint32(12, true)] as const;
  if (json > MAX_JSON || crop > MAX_IMAGE || matte > MAX_IMAGE || bytes.length !== PREFIX + json + crop + matte) {
    throw bad('its lengths do not add up');
  }
  let header: Omit<Observation, 'crop' | 'matte'>;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(PREFIX, PREFIX + json)));
  } catch (cause) {
    throw bad('its header is not JSON', cause);
  }
  const { width, height, landmarks, weights, quality } = header;
  const sized = [width, height].every((side) => Number.isInteger(side) && side > 0 && side <= MAX_CROP);
  if (!sized || !numbers(landmarks, 136) || !numbers(weights, 68) || !Number.isFinite(quality)) {
    throw bad('a value of its header is missing or out of bounds');
  }
  if (!numbers(header.principal, 2) || typeof header.contentHash !== 'string' || typeof header.photo !== 'string') {
    throw bad('a value of its header is missing or out of bounds');
  }
  return { header, images: [crop, matte] };
}

function numbers(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length && value.every(Number.isFinite);
}

function bad(why: string, cause?: unknown): DafError {
  return new DafError('ERR_DAF_BAD_DATA', `not an observation: ${why}`, { cause });
}

/**
 * The best `keep` of a person's observations: quality descending, then content hash, so that the choice depends neither on the
 * order of arrival nor on how often combine ran. A photo given twice counts once.
 */
export function bestObservations(values: Iterable<Uint8Array>, keep: number): Uint8Array[] {
  const best: { readonly quality: number; readonly contentHash: string; readonly bytes: Uint8Array }[] = [];
  for (const value of values) {
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
  return best.map((entry) => entry.bytes);
}
