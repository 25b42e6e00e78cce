import type { WriteStream } from 'node:tty';

const WIDTH = 28;
const REDRAW_MS = 100;

/** One line at the bottom of a terminal: what is going on and how far it is. Draws nothing anywhere else. */
export class ProgressBar {
  readonly #stream: WriteStream;
  readonly #drawn: boolean;
  #line = '';
  #last = 0;

  constructor(stream: WriteStream, wanted: boolean) {
    this.#stream = stream;
    this.#drawn = wanted && stream.isTTY === true;
  }

  /** @param fraction 0…1 */
  update(fraction: number, label: string): void {
    if (!this.#drawn) return;
    const now = performance.now();
    if (now - this.#last < REDRAW_MS && fraction < 1) return;
    this.#last = now;
    const clamped = Math.min(1, Math.max(0, fraction));
    const full = Math.round(clamped * WIDTH);
    const percent = String(Math.floor(clamped * 100)).padStart(3);
    const room = Math.max(0, (this.#stream.columns ?? 80) - WIDTH - 9);
    this.#line = `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${percent}%  ${label.slice(0, room)}`;
    this.#stream.write(`\r\x1b[2K${this.#line}`);
  }

  /** Writes text above the bar. */
  above(text: string): void {
    if (this.#line === '') {
      this.#stream.write(text);
      return;
    }
    this.#stream.write(`\r\x1b[2K${text}${this.#line}`);
  }

  /** Removes the bar. */
  end(): void {
    if (this.#line !== '') this.#stream.write('\r\x1b[2K');
    this.#line = '';
  }
}
