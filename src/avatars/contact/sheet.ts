import { DafError } from '../../core/contracts/errors.js';
import { loadSharp } from '../../core/sharp.js';
import { COLUMNS, cellLeft, HEADER, INK, PAPER, PEOPLE_PER_PAGE, ROW_HEIGHT, ROW_WIDTH } from './layout.js';
import { Picture } from './picture.js';
import { PngWriter } from './png_writer.js';

/** `contact.png`, `contact-2.png`, … */
export const pageName = (page: number): string => (page === 0 ? 'contact.png' : `contact-${page + 1}.png`);

export const pageCount = (people: number): number => Math.max(1, Math.ceil(people / PEOPLE_PER_PAGE));

/**
 * One page of the contact sheet; holds one row at a time.
 * @param rows contact-row.png of each person of this page, in order.
 */
export async function contactPage(title: string, rows: readonly (() => Promise<Uint8Array>)[]): Promise<Uint8Array> {
  const sharp = await loadSharp();
  const writer = new PngWriter(ROW_WIDTH, HEADER + rows.length * ROW_HEIGHT);
  const header = new Picture(ROW_WIDTH, HEADER, PAPER);
  header.text(cellLeft(0), 6, title, INK);
  for (const [i, column] of COLUMNS.entries()) header.text(cellLeft(i), 28, column.title, INK, 1);
  await writer.rows(header.rgb);
  for (const row of rows) {
    const { data, info } = await sharp(await row())
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.width !== ROW_WIDTH || info.height !== ROW_HEIGHT || info.channels !== 3) {
      throw new DafError('ERR_DAF_BAD_DATA', `a contact row is ${info.width}×${info.height}, not ${ROW_WIDTH}×${ROW_HEIGHT}`);
    }
    await writer.rows(data);
  }
  return writer.end();
}
