import { connect, createServer } from 'node:net';

// Passes TCP connections on: node relay.js <to host:port> <listen host:port>… Coordinators listen on loopback only; this carries their
// traffic over the links between network namespaces.

const [to = '', ...listen] = process.argv.slice(2);

function address(text: string): { host: string; port: number } {
  const [host = '', port = ''] = text.split(':');
  return { host, port: Number(port) };
}

for (const each of listen) {
  const { host, port } = address(each);
  createServer((near) => {
    const far = connect({ ...address(to), noDelay: true });
    near.pipe(far);
    far.pipe(near);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
  }).listen(port, host);
}
