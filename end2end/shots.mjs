// Takes pictures of every page: sizes × themes × how much there is to see.
//   node shots.mjs [--out FOLDER] [--only NAME] [--keep]
// --keep also puts the pictures of the README in their place.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';

const { values: asked } = parseArgs({
  options: { out: { type: 'string', default: '../target/shots' }, only: { type: 'string' }, keep: { type: 'boolean' } },
});
const binary = process.env.HOLTER_BIN ?? '../target/debug/holter';
const sizes = { phone: [390, 844], laptop: [1366, 850], wall: [1920, 1080], '4k': [3840, 2160] };
const worlds = { empty: 0, five: 5, many: 200 };
const readme = { 'grid-five-laptop-dark': 'grid-dark', 'wall-five-wall-dark': 'wall-dark', 'run-five-laptop-light': 'run-light' };
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

async function serve(folder) {
  const child = spawn(binary, ['serve', '--dev', '--listen', '127.0.0.1:0', '--data-dir', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const said = line.match(/^holter listening on (\S+)$/);
    if (said) return { child, url: said[1] };
  }
  throw new Error('the server did not start');
}

/** Benches that have worked for a while. */
function play(url, setups) {
  const args = ['simulate', '--url', url, '--setups', `${setups}`, '--tests', '40', '--seed', '3', '--speed', '6', '--history', '4'];
  return spawn(binary, args, { stdio: 'ignore' });
}

async function worldReady(url, setups) {
  for (;;) {
    const { items } = await (await fetch(`${url}/api/v1/setups?limit=500`)).json();
    const running = items.filter((setup) => setup.activity === 'running').length;
    if (items.length >= setups && running >= setups / 4) return items;
    await new Promise((again) => setTimeout(again, 200));
  }
}

async function shoot(browser, url, world, items) {
  const busy = items.find((setup) => setup.run?.counts.failed > 0 && setup.run?.counts.running > 0) ?? items[0];
  const pages = { grid: '/', wall: '/wall' };
  if (busy) Object.assign(pages, { setup: `/setups/${encodeURIComponent(busy.name)}`, run: `/runs/${busy.run.id}` });
  for (const [page, path] of Object.entries(pages)) {
    for (const [size, [width, height]] of Object.entries(sizes)) {
      for (const theme of ['light', 'dark']) {
        const name = `${page}-${world}-${size}-${theme}`;
        if (asked.only && !name.includes(asked.only)) continue;
        const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
        const tab = await context.newPage();
        await tab.goto(url + path);
        await tab.locator('html[data-hydrated]').waitFor();
        await tab.screenshot({ path: join(asked.out, `${name}.png`) });
        await context.close();
        const kept = asked.keep && readme[name];
        if (kept) copyFileSync(join(asked.out, `${name}.png`), `../docs/screenshots/${kept}.png`);
      }
    }
  }
}

mkdirSync(asked.out, { recursive: true });
mkdirSync('../docs/screenshots', { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.HOLTER_CHROMIUM ?? '/usr/bin/chromium', args: flags });
for (const [world, setups] of Object.entries(worlds)) {
  const folder = mkdtempSync(join(tmpdir(), 'holter-shots-'));
  const { child, url } = await serve(folder);
  const benches = setups > 0 ? play(url, setups) : undefined;
  try {
    await shoot(browser, url, world, await worldReady(url, setups));
    console.log(`${world}: done`);
  } finally {
    benches?.kill();
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
await browser.close();
