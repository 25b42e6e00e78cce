import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { DafError } from '../core/contracts/errors.js';
import type { GlbScene, GlbShot } from './glb-scene.js';

/** Software rendering that works without a GPU, a display or a sandbox (containers run as root). */
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
];
/** Answered from memory; every other address is refused. */
const ORIGIN = 'http://glb.invalid';

/** The Chromium to use, or null where none is installed: tests then say that they were skipped. */
export function findChromium(): string | null {
  const file = process.env['DAF_CHROMIUM'] || '/usr/bin/chromium';
  return existsSync(file) ? file : null;
}

/** Looks at .glb files with three.js, which shares no code with DAF. Open once, use for many files, close. */
export interface GlbViewer extends AsyncDisposable {
  /**
   * Loads a file, in place of the one before.
   * @throws DafError ERR_DAF_BAD_DATA when three.js cannot load it or complains about it.
   */
  load(bytes: Uint8Array): Promise<GlbScene>;
  /** A PNG of the loaded file. */
  shoot(shot?: GlbShot): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** @throws DafError ERR_DAF_UNSUPPORTED without Chromium. */
export async function openGlbViewer(): Promise<GlbViewer> {
  const executablePath = findChromium();
  if (executablePath === null) {
    throw new DafError('ERR_DAF_UNSUPPORTED', 'no Chromium', { hint: 'apt-get install chromium, or set DAF_CHROMIUM' });
  }
  const script = await bundlePage();
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS, headless: true });
  try {
    const complaints: string[] = [];
    const page = await openPage(browser, script, complaints);
    const ask = async <T>(name: 'load' | 'shoot', argument: unknown): Promise<T> => {
      complaints.length = 0;
      try {
        const answer = await page.evaluate(`dafGlb.${name}(${JSON.stringify(argument)})`);
        if (complaints.length > 0) throw new Error(complaints.join('; '));
        return answer as T;
      } catch (cause) {
        throw new DafError('ERR_DAF_BAD_DATA', `three.js: ${(cause as Error).message}`, { cause });
      }
    };
    return {
      load: (bytes) => ask<GlbScene>('load', Buffer.from(bytes).toString('base64')),
      async shoot(shot = {}) {
        const url = await ask<string>('shoot', shot);
        return new Uint8Array(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
      },
      close: () => browser.close(),
      [Symbol.asyncDispose]: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./glb-page.js', import.meta.url))],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

async function openPage(browser: Browser, script: string, complaints: string[]): Promise<Page> {
  const page = await browser.newPage();
  await page.route('**/*', (route) => {
    const url = route.request().url();
    if (url === `${ORIGIN}/`) {
      return route.fulfill({ contentType: 'text/html', body: '<!doctype html><script src="/page.js"></script>' });
    }
    if (url === `${ORIGIN}/page.js`) return route.fulfill({ contentType: 'text/javascript', body: script });
    complaints.push(`it asked for ${url}`);
    return route.abort();
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const text = message.text();
    // Chromium's own remarks on drawing in software say nothing about the file.
    if ((message.type() === 'error' || message.type() === 'warning') && !/GPU stall|swiftshader|favicon/i.test(text))
      complaints.push(text);
  });
  await page.goto(`${ORIGIN}/`);
  return page;
}
