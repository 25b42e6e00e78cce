import { packReport } from '../../core/compact.js';
import { DafError } from '../../core/contracts/errors.js';
import {
  type AssignBody,
  type FromClient,
  type FromHolder,
  type FromWorker,
  type JobEvent,
  MAX_BODY_BYTES,
  MAX_HEADER_BYTES,
  type Message,
  type Reports,
  type ReportsBody,
  type SubmitBody,
  type ToClient,
  type ToHolder,
  type ToWorker,
} from '../../core/contracts/messages.js';
import type { Report } from '../../core/contracts/task.js';
import { groupReports, isShort } from './batches.js';
import { type Check, mustBe } from './check.js';
import { listHead, pack, unpack } from './msgpack.js';
import { MESSAGES } from './schema.js';

/** The body that goes with a message type; `undefined` for those without. `page` and `reply` carry what was asked for. */
export type BodyOf<M extends Message> = M extends { type: 'reports' }
  ? ReportsBody
  : M extends { type: 'assign' }
    ? AssignBody
    : M extends { type: 'submit' }
      ? SubmitBody
      : M extends { type: 'event' }
        ? JobEvent
        : M extends { type: 'chunk' }
          ? Uint8Array
          : M extends { type: 'page' | 'reply' }
            ? unknown
            : undefined;

/** A message with its body: a union over message types, told apart by `message.type`. */
export type Received<M extends Message> = M extends Message ? { readonly message: M; readonly body: BodyOf<M> } : never;

/**
 * A message as frames: header, and body where the message has one.
 * @throws DafError ERR_DAF_PROTOCOL when a frame would exceed its bound: the sender must page.
 */
export function encode<M extends Message>(message: M, ...body: BodyOf<M> extends undefined ? [] : [BodyOf<M>]): Buffer[] {
  const { headerForm, body: shape, form } = MESSAGES[message.type]!;
  const header = pack(headerForm === undefined ? message : headerForm.pack(message as never));
  bounded(header, MAX_HEADER_BYTES, `header of ${message.type}`);
  if (shape === undefined) return [header];
  const sent = form === undefined ? body[0] : form.pack(body[0] as never);
  const second = shape === 'raw' ? asBuffer(sent as Uint8Array) : pack(sent);
  bounded(second, MAX_BODY_BYTES, `body of ${message.type}`);
  return [header, second];
}

/** Of a group that holds one report only. */
export const SHORT_REPORT_BYTES = 512;

export interface PackedReport {
  readonly report: Report;
  /** As packReports.one() made it. */
  readonly packed: Uint8Array | null;
}

/** Reports that are packed one by one, for their size and to be sent, and sent together. */
export const packReports = {
  /** Null for one of those that take next to nothing once they are grouped, {@link SHORT_REPORT_BYTES} at most. */
  one: (report: Report): Buffer | null => (isShort(report) ? null : pack(packReport(report))),
  /** A `reports` message as {@link encode} makes it. @throws DafError ERR_DAF_PROTOCOL */
  together(worker: string, all: readonly PackedReport[]): Buffer[] {
    const entries = groupReports(
      all,
      ({ report }) => report,
      ({ packed }) => packed,
    );
    const parts = entries.map((entry) => (entry instanceof Uint8Array ? entry : pack(entry)));
    const body = Buffer.concat([listHead(parts.length), ...parts]);
    bounded(body, MAX_BODY_BYTES, 'body of reports');
    return [pack({ type: 'reports', worker } satisfies Reports), body];
  },
};

/** A message from a worker or a client; nothing in it is believed. */
export function decodeAtCoordinator(frames: readonly Uint8Array[]): Received<FromWorker | FromClient> {
  return decode(frames, (from) => from === 'worker' || from === 'client') as Received<FromWorker | FromClient>;
}

/** A message from the coordinator. The body of `page` or `reply` is unchecked until {@link checkBody}. */
export function decodeFromCoordinator(frames: readonly Uint8Array[]): Received<ToWorker | ToClient> {
  return decode(frames, (from) => from === 'coordinator') as Received<ToWorker | ToClient>;
}

/** What a reader asks of a worker that holds data. */
export function decodeAtHolder(frames: readonly Uint8Array[]): Received<ToHolder> {
  return decode(frames, (from) => from === 'reader') as Received<ToHolder>;
}

/** What a worker that holds data answers. */
export function decodeFromHolder(frames: readonly Uint8Array[]): Received<FromHolder> {
  return decode(frames, (from, type) => from === 'holder' || type === 'refused') as Received<FromHolder>;
}

/** @throws DafError ERR_DAF_PROTOCOL unless the value has the shape. */
export function checkBody<T>(value: unknown, check: Check): T {
  mustBe(check, value, 'body');
  return value as T;
}

function decode(
  frames: readonly Uint8Array[],
  isLegal: (from: string, type: unknown) => boolean,
): { message: Message; body: unknown } {
  const [header, body] = frames;
  if (header === undefined || frames.length > 2) throw protocol(`${frames.length} frames`);
  bounded(header, MAX_HEADER_BYTES, 'header');
  const sent = unpack(header);
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) throw protocol('the header is not an object');
  const type = (sent as { type?: unknown }).type;
  const shape = typeof type === 'string' && Object.hasOwn(MESSAGES, type) ? MESSAGES[type] : undefined;
  if (shape === undefined || !isLegal(shape.from, type)) throw protocol(`no such message here: ${String(type).slice(0, 40)}`);
  const message = shape.headerForm === undefined ? sent : shape.headerForm.unpack(sent);
  mustBe(shape.header, message, String(type));
  if ((shape.body === undefined) !== (body === undefined)) throw protocol(`${String(type)}: ${frames.length} frames`);
  if (body === undefined) return { message: message as Message, body: undefined };
  bounded(body, MAX_BODY_BYTES, `body of ${String(type)}`);
  if (shape.body === 'raw') return { message: message as Message, body };
  const packed = unpack(body);
  const value = shape.form === undefined ? packed : shape.form.unpack(packed);
  if (typeof shape.body === 'function') mustBe(shape.body, value, `${String(type)} body`);
  return { message: message as Message, body: value };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bounded(frame: Uint8Array, max: number, what: string): void {
  if (frame.length > max) throw protocol(`${what} has ${frame.length} bytes, more than ${max}`);
}

function protocol(why: string): DafError {
  return new DafError('ERR_DAF_PROTOCOL', why);
}
