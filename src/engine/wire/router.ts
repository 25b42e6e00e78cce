import { Router } from 'zeromq';
import { DafError } from '../../core/contracts/errors.js';
import { checkEndpoint } from './endpoint.js';
import type { ServerSecurity } from './security.js';
import { COMMON, receiveAll, SendQueue } from './socket.js';
import { openGate } from './zap.js';

/** A connected peer, as zeromq names it; another one after every reconnect. */
export type Peer = string;

export interface RouterHandler {
  /** Frames as they came, the identity taken off. Must not throw. */
  onMessage(peer: Peer, frames: Buffer[]): void;
  /** Somebody whose key is not allowed was turned away. Must not throw. */
  onRefused?(publicKey: string, address: string): void;
}

const MAX_WAITING = 50_000;

// zeromq lets go of an address some time after close, and a client that reconnects to a loopback port may hold it itself for a moment.
const ADDRESS_FREE_MS = 3000;
const ADDRESS_RETRY_MS = 50;

/** The coordinator's side. Use on the main thread only: ending a thread with a pending receive aborts the process. */
export class RouterSocket {
  readonly #socket: Router;
  readonly #queue: SendQueue;
  readonly #done: Promise<void>;
  /** What was really bound, ports filled in. */
  readonly endpoints: readonly string[];
  readonly #closeGate: () => void;

  private constructor(socket: Router, endpoints: readonly string[], handler: RouterHandler, closeGate: () => void) {
    this.#socket = socket;
    this.#closeGate = closeGate;
    this.endpoints = endpoints;
    this.#queue = new SendQueue((frames) => socket.send(frames as Uint8Array[]), MAX_WAITING);
    this.#done = receiveAll(socket, (frames) => {
      const peer = frames.shift();
      if (peer !== undefined) handler.onMessage(peer.toString('latin1'), frames);
    });
  }

  /**
   * Binds every endpoint.
   * @param security encrypts all of them, and lets in known keys only
   * @throws DafError ERR_DAF_BAD_OPTION for an endpoint that breaks the rules, ERR_DAF_IO when one cannot be bound.
   */
  static async bind(
    endpoints: readonly string[],
    handler: RouterHandler,
    security: ServerSecurity | null = null,
  ): Promise<RouterSocket> {
    for (const endpoint of endpoints) checkEndpoint(endpoint, security !== null);
    const gate =
      security &&
      (await openGate({
        allows: (key) => security.allowed.allows(key),
        refused: (key, address) => handler.onRefused?.(key, address),
      }));
    const curve = security && { curveServer: true, curveSecretKey: security.keys.secretKey, zapDomain: gate!.domain };
    // mandatory: an unknown or full peer is an error instead of silence.
    const socket = new Router({ ...COMMON, mandatory: true, ...curve });
    const bound: string[] = [];
    for (const endpoint of endpoints) {
      try {
        await bindPatiently(socket, endpoint);
      } catch (error) {
        socket.close();
        gate?.close();
        const why = error instanceof Error ? error.message : String(error);
        throw new DafError('ERR_DAF_IO', `cannot listen on ${endpoint}: ${why}`, {
          hint: 'another process may hold it; choose another port (0 finds a free one)',
          cause: error,
        });
      }
      bound.push(socket.lastEndpoint ?? endpoint);
    }
    return new RouterSocket(socket, bound, handler, () => gate?.close());
  }

  /** False when the peer is gone or too slow; nothing waits for it. The buffers belong to the socket from now on. */
  send(peer: Peer, frames: readonly Uint8Array[]): Promise<boolean> {
    return this.#queue.push([Buffer.from(peer, 'latin1'), ...frames]);
  }

  /** Resolves once nothing is received any more. */
  async close(): Promise<void> {
    this.#socket.close();
    await this.#done;
    this.#closeGate();
  }
}

/** Waits a little for an address that a predecessor is about to give up. */
async function bindPatiently(socket: Router, endpoint: string): Promise<void> {
  const until = performance.now() + ADDRESS_FREE_MS;
  for (;;) {
    try {
      await socket.bind(endpoint);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EADDRINUSE' || performance.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, ADDRESS_RETRY_MS));
  }
}
