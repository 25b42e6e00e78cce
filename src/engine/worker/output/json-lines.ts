import { DafError } from '../../../core/contracts/errors.js';
import { KEY_MASK, MORE, PACKED_HEADER, VALUE_MASK } from '../../../core/contracts/record.js';

const NEWLINE = 10;

/** Sees to it that the values of packed records are lines of JSON: one JSON text each, without a line break. */
export class JsonLines {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** Of a value that comes in pieces, those that have come. */
  #pieces: Uint8Array[] = [];

  /**
   * @param batch packed records; a value may go on in the next batch
   * @throws DafError ERR_DAF_USER_CODE for a value that is none
   */
  check(batch: Uint8Array): void {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
    for (let at = 0; at < batch.length; ) {
      const valueWord = view.getUint32(at + 4, true);
      const valueAt = at + PACKED_HEADER + (view.getUint32(at, true) & KEY_MASK);
      at = valueAt + (valueWord & VALUE_MASK);
      const piece = batch.subarray(valueAt, at);
      if ((valueWord & MORE) !== 0) this.#pieces.push(piece.slice());
      else if (this.#pieces.length === 0) this.#checkValue(piece);
      else {
        this.#checkValue(Buffer.concat([...this.#pieces, piece]));
        this.#pieces = [];
      }
    }
  }

  #checkValue(value: Uint8Array): void {
    try {
      JSON.parse(this.#decoder.decode(value));
    } catch (error) {
      throw notJson(value, (error as Error).message);
    }
    if (value.includes(NEWLINE)) throw notJson(value, 'it has a line break');
  }
}

function notJson(value: Uint8Array, why: string): DafError {
  const shown = JSON.stringify(Buffer.from(value.subarray(0, 64)).toString('utf8'));
  return new DafError('ERR_DAF_USER_CODE', `a value for JSON output is not a line of JSON: ${shown}: ${why}`, {
    hint: 'emit(key, JSON.stringify(value))',
  });
}
