export {
  type BodyOf,
  checkBody,
  decodeAtCoordinator,
  decodeAtHolder,
  decodeFromCoordinator,
  decodeFromHolder,
  encode,
  type Received,
} from './codec.js';
export { DealerSocket } from './dealer.js';
export { checkEndpoint, freshIpcEndpoint, tokenMatches } from './endpoint.js';
export { pack, unpack } from './msgpack.js';
export { type Peer, RouterSocket } from './router.js';
export { commit, heldOutput, jobSpec, jobStatus, member, wireError, workerStatus } from './schema.js';
