import { createSocket } from 'node:dgram';
import { DafError } from '../../../core/contracts/errors.js';
import { endpointParts, isOpenToOthers } from '../../wire/index.js';

/**
 * The address of this machine on the way to a tcp endpoint, as an endpoint names it: where others in that network reach us. Nothing is sent.
 * @throws DafError ERR_DAF_UNREACHABLE without a way to it
 */
export async function addressTowards(endpoint: string): Promise<string> {
  if (!isOpenToOthers(endpoint)) return '127.0.0.1';
  const { address } = endpointParts(endpoint);
  const [, host = '', port = ''] = /^tcp:\/\/\[?([^\]]*?)\]?:(\d+)$/.exec(address) ?? [];
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(Number(port), host, resolve);
    });
    const own = socket.address().address;
    return own.includes(':') ? `[${own}]` : own;
  } catch (error) {
    throw new DafError('ERR_DAF_UNREACHABLE', `${address}: ${(error as Error).message}`, {
      hint: 'is the host’s name known here? --data-listen says where to serve data',
      cause: error,
    });
  } finally {
    socket.close();
  }
}
