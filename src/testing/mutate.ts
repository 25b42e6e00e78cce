import type { Random } from './simulation/random.js';

/** Numbers that lengths, counts and offsets are most often wrong with. */
const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x7fffffffffffffffn,
  0xffffffffffffffffn,
  1n << 52n,
];

/** A file as a hostile or broken sender would make it of a valid one: bits turned, numbers made extreme, parts cut, doubled or moved. */
export function mutate(valid: Uint8Array, random: Random): Buffer {
  let bytes = Buffer.from(valid);
  for (let rounds = random.whole(1, 4); rounds > 0 && bytes.length > 0; rounds--) {
    const at = random.whole(0, bytes.length - 1);
    const length = random.whole(1, Math.min(64, bytes.length - at));
    switch (random.whole(0, 5)) {
      case 0:
        bytes[at]! ^= 1 << random.whole(0, 7);
        break;
      case 1:
        bytes[at] = random.whole(0, 255);
        break;
      case 2: {
        const number = Buffer.alloc(8);
        number.writeBigUInt64LE(random.pick(EXTREMES));
        number.copy(bytes, at, 0, random.pick([1, 2, 4, 8]));
        break;
      }
      case 3:
        bytes = bytes.subarray(0, at);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at, at + length), bytes.subarray(at + length)]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    }
  }
  return bytes;
}
