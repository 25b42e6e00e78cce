import { Router } from 'zeromq';
import { z85 } from './keys.js';

/** Who may connect to one socket, by public key. */
export interface Gate {
  allows(publicKey: string): boolean;
  /** Told of everybody who may not. */
  refused(publicKey: string, address: string): void;
}

const HANDLER = 'inproc://zeromq.zap.01';

const gates = new Map<string, Gate>();
let handler: { readonly socket: Router; readonly bound: Promise<void> } | null = null;
let named = 0;

/**
 * ZeroMQ asks one handler of a process whether a peer may connect (RFC 27); this one asks the gate of the socket in question. Open as
 * long as there is a gate.
 * @returns the domain that the socket must carry, and how to close the gate
 */
export async function openGate(gate: Gate): Promise<{ readonly domain: string; close(): void }> {
  const domain = `daf-${++named}`;
  gates.set(domain, gate);
  handler ??= startHandler();
  await handler.bound;
  return {
    domain,
    close() {
      gates.delete(domain);
      if (gates.size > 0) return;
      handler?.socket.close();
      handler = null;
    },
  };
}

function startHandler(): NonNullable<typeof handler> {
  const socket = new Router({ linger: 0 });
  const bound = socket.bind(HANDLER).then(() => void answerAll(socket));
  return { socket, bound };
}

async function answerAll(socket: Router): Promise<void> {
  while (!socket.closed) {
    let frames: Buffer[];
    try {
      frames = await socket.receive();
    } catch {
      return; // closed
    }
    const [peer, empty, version, request, domain, address, , mechanism, key] = frames;
    if (peer === undefined || request === undefined) continue;
    const gate = gates.get(String(domain));
    const isCurve = String(mechanism) === 'CURVE' && key?.length === 32;
    const publicKey = isCurve ? z85(key) : '';
    const allowed = isCurve && gate?.allows(publicKey) === true;
    if (!allowed) gate?.refused(publicKey, String(address));
    const [code, text, user] = allowed ? ['200', 'OK', publicKey] : ['400', 'this key is not allowed here', ''];
    await socket.send([peer, empty!, version!, request, code!, text!, user!, '']).catch(() => {});
  }
}
