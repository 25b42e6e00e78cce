import { Dealer } from 'zeromq';
import { checkEndpoint, endpointParts } from './endpoint.js';
import type { KeyPair } from './keys.js';
import { curveClient } from './security.js';
import { COMMON, receiveAll, SendQueue } from './socket.js';

export interface DealerHandler {
  /** Must not throw. */
  onMessage(frames: Buffer[]): void;
  /** A connection stands, the first or a new one. The coordinator sees a new identity: say hello again. */
  onConnected(): void;
  onDisconnected?(): void;
  /** The other side does not allow this key; the socket goes on trying. */
  onRefused?(): void;
}

const MAX_WAITING = 1024;

/**
 * A worker's or client's side; reconnects by itself. Messages are queued for a standing connection only, so that nothing stale is
 * delivered after a reconnect. Use on the main thread only.
 */
export class DealerSocket {
  readonly #socket: Dealer;
  readonly #queue: SendQueue;
  readonly #done: Promise<void>;
  readonly endpoint: string;
  #connected = false;

  /**
   * @param endpoint with the key of the other side where it is encrypted
   * @param keys one's own
   * @throws DafError ERR_DAF_BAD_OPTION for an endpoint that breaks the rules.
   */
  constructor(endpoint: string, handler: DealerHandler, keys: KeyPair | null = null) {
    const { address, serverKey } = endpointParts(endpoint);
    checkEndpoint(address, serverKey !== null);
    this.endpoint = endpoint;
    const curve = curveClient(endpoint, keys);
    const socket = new Dealer({ ...COMMON, ...curve, immediate: true, reconnectInterval: 50, reconnectMaxInterval: 300 });
    this.#socket = socket;
    this.#queue = new SendQueue((frames) => socket.send(frames as Uint8Array[]), MAX_WAITING);
    socket.events.on('handshake', () => {
      this.#connected = true;
      if (!socket.closed) handler.onConnected();
    });
    socket.events.on('disconnect', () => {
      const was = this.#connected;
      this.#connected = false;
      if (was && !socket.closed) handler.onDisconnected?.();
    });
    socket.events.on('handshake:error:auth', () => {
      if (!socket.closed) handler.onRefused?.();
    });
    socket.connect(address);
    this.#done = receiveAll(socket, (frames) => handler.onMessage(frames));
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** False when there is no connection or it is full; the caller sends again later. The buffers belong to the socket from now on. */
  send(frames: readonly Uint8Array[]): Promise<boolean> {
    if (!this.#connected) return Promise.resolve(false);
    return this.#queue.push(frames);
  }

  async close(): Promise<void> {
    this.#connected = false;
    this.#socket.close();
    await this.#done;
  }
}
