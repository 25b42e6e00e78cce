export {
  type BodyOf,
  checkBody,
  decodeAtCoordinator,
  decodeAtHolder,
  decodeFromCoordinator,
  decodeFromHolder,
  encode,
  type PackedReport,
  packReports,
  type Received,
  SHORT_REPORT_BYTES,
} from './codec.js';
export { type DealerHandler, DealerSocket } from './dealer.js';
export {
  checkEndpoint,
  endpointParts,
  freshIpcEndpoint,
  isOpenToOthers,
  tokenMatches,
  withServerKey,
} from './endpoint.js';
export { AllowList, type KeyPair, readKeyPair, readPublicKey, writeKeyPair } from './keys.js';
export { pack, unpack } from './msgpack.js';
export { commit, heldOutput, jobSpec, jobStatus, member, report as reportShape, wireError, workerStatus } from './nouns.js';
export { copyTargets, Ring } from './ring.js';
export { type Peer, RouterSocket } from './router.js';
export { type ClientSecurity, clientSecurity, type KeyFiles, type ServerSecurity, serverSecurity } from './security.js';
