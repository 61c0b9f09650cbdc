// How long until the first page is painted, and until it is alive.

import { withBrowser } from './browser.mjs';

const aliveWithin = 20_000;

/** In the page: notes when the app says that it is hydrated. */
function watch() {
  const look = () => {
    if (globalThis.benchAlive || !document.documentElement?.hasAttribute('data-hydrated')) return;
    globalThis.benchAlive = performance.now();
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
}

await withBrowser(async (browser, { url, loads }) => {
  const found = { painted: [], alive: [], sign: 'data-hydrated on the document' };
  for (let load = 0; load < loads; load += 1) {
    // A new context has an empty cache.
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(watch);
    await page.goto(url, { waitUntil: 'commit' });
    await page.waitForFunction(() => globalThis.benchAlive, null, { timeout: aliveWithin });
    await page.waitForLoadState('load');
    const [alive, painted] = await page.evaluate(() => [
      globalThis.benchAlive,
      performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    ]);
    found.alive.push(alive);
    if (painted) found.painted.push(painted);
    await context.close();
  }
  return found;
});
