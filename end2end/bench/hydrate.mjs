// How long until the first page is painted, and until it is alive.

import { withBrowser } from './browser.mjs';

const aliveWithin = 20_000;

/**
 * In the page: notes when the app says that it is hydrated. Where it does not
 * say so, the filter box tells: words that no setup has are put into it again
 * and again, until the page says that nothing matches.
 */
function watch() {
  const marks = {};
  globalThis.benchMarks = marks;
  const look = () => {
    if (document.documentElement?.hasAttribute('data-hydrated')) marks.said ??= performance.now();
    if (document.querySelector('[data-test="no-match"]')) marks.reacted ??= performance.now();
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
  const prod = setInterval(() => {
    if (marks.said || marks.reacted) {
      clearInterval(prod);
      return;
    }
    const box = document.querySelector('[data-test="filter"]');
    if (!box) return;
    box.value = 'no setup is called so';
    box.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }, 10);
}

await withBrowser(async (browser, { url, loads }) => {
  const found = { painted: [], alive: [], sign: '' };
  for (let load = 0; load < loads; load += 1) {
    // A new context has an empty cache.
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(watch);
    await page.goto(url, { waitUntil: 'commit' });
    await page.waitForFunction(() => globalThis.benchMarks.said || globalThis.benchMarks.reacted, null, {
      timeout: aliveWithin,
    });
    await page.waitForLoadState('load');
    const [marks, painted] = await page.evaluate(() => [
      globalThis.benchMarks,
      performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    ]);
    found.sign = marks.said ? "the app's own mark" : 'the filter box that works';
    found.alive.push(marks.said ?? marks.reacted);
    if (painted) found.painted.push(painted);
    await context.close();
  }
  return found;
});
