import { context } from 'zeromq';
import { MAX_BODY_BYTES } from '../../core/contracts/messages.js';

// Exit must not wait for peers that are gone.
context.blocky = false;

/** Options of every socket; each line is a trap that zeromq leaves open by default. */
export const COMMON = {
  linger: 0,
  // A frame larger than any legal one ends its connection before it is read. Slack for the framing of multi-part messages.
  maxMessageSize: MAX_BODY_BYTES + 4096,
  // Full or absent peers are reported at once instead of blocking everybody else.
  sendTimeout: 0,
  sendHighWaterMark: 2000,
  receiveHighWaterMark: 2000,
} as const;

/**
 * One send at a time, in order: zeromq refuses a second one with EBUSY. What waits is bounded; beyond that a send fails at
 * once, as it would with a full peer.
 */
export class SendQueue {
  readonly #waiting: { readonly frames: readonly Uint8Array[]; readonly done: (sent: boolean) => void }[] = [];
  readonly #limit: number;
  readonly #send: (frames: readonly Uint8Array[]) => Promise<void>;
  #busy = false;

  constructor(send: (frames: readonly Uint8Array[]) => Promise<void>, limit: number) {
    this.#send = send;
    this.#limit = limit;
  }

  /** True once zeromq has taken the message; false when the peer is unknown or full, or the queue is. */
  push(frames: readonly Uint8Array[]): Promise<boolean> {
    if (this.#waiting.length >= this.#limit) return Promise.resolve(false);
    return new Promise((done) => {
      this.#waiting.push({ frames, done });
      if (!this.#busy) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      let sent = true;
      try {
        await this.#send(next.frames);
      } catch {
        sent = false; // EHOSTUNREACH, EAGAIN or closed: the protocol sends again what matters
      }
      next.done(sent);
    }
    this.#busy = false;
  }
}

/** Hands every received message to `handle`, one receive at a time, until the socket closes. */
export async function receiveAll(
  socket: { readonly closed: boolean; receive(): Promise<Buffer[]> },
  handle: (frames: Buffer[]) => void,
): Promise<void> {
  while (!socket.closed) {
    let frames: Buffer[];
    try {
      frames = await socket.receive();
    } catch (error) {
      if (socket.closed) return;
      // EAGAIN cannot happen without a receive timeout, but must not become a busy loop.
      await new Promise((resolve) => setTimeout(resolve, (error as { code?: string }).code === 'EAGAIN' ? 1 : 20));
      continue;
    }
    handle(frames);
  }
}
