// What the programs here share: a browser, and a way to say what was found.

import { chromium } from 'playwright-core';

/** Containers and build machines have neither user namespaces nor a graphics card. */
const plain = ['--no-sandbox', '--disable-gpu'];

/** Without these Chromium calls home at its start. */
const quiet = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];

/** Runs `work` with a browser and what the caller asked for; prints what it gives. */
export async function withBrowser(work) {
  const what = JSON.parse(process.argv[2]);
  const executablePath = process.env.HOLTER_CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: [...plain, ...quiet] });
  try {
    console.log(JSON.stringify(await work(browser, what)));
  } finally {
    await browser.close();
  }
}

/** Milliseconds since 1970, finer than a millisecond; pages on this machine have the same clock. */
export const wallTime = () => performance.timeOrigin + performance.now();

export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
