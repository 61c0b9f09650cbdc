// How smoothly strips run: frames per second, and script a frame.

import { pause, withBrowser } from './browser.mjs';

/** In the page: counts frames and the time that their callbacks take. */
function watch() {
  const frames = { took: [], began: [] };
  globalThis.benchFrames = frames;
  const ask = globalThis.requestAnimationFrame.bind(globalThis);
  globalThis.requestAnimationFrame = (call) =>
    ask((time) => {
      const began = performance.now();
      call(time);
      frames.took.push(performance.now() - began);
      frames.began.push(time);
    });
}

function summary({ took, began }) {
  const seconds = (began.at(-1) - began[0]) / 1_000;
  const sorted = [...took].sort((a, b) => a - b);
  const sum = took.reduce((all, one) => all + one, 0);
  return {
    framesPerSecond: (new Set(began).size - 1) / seconds,
    scriptPerFrame: sum / took.length,
    scriptAt95: sorted[Math.floor(sorted.length * 0.95)],
  };
}

await withBrowser(async (browser, { url, seconds, width, height, density }) => {
  const context = await browser.newContext({
    viewport: { width: width ?? 1920, height: height ?? 1080 },
    deviceScaleFactor: density ?? 1,
  });
  const page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto(url, { waitUntil: 'load' });
  await page.waitForFunction(() => document.querySelector('canvas.strips')?.width > 300);
  // The first seconds are those of the page, not of the strips.
  await pause(5_000);
  await page.evaluate(() => {
    benchFrames.took.length = 0;
    benchFrames.began.length = 0;
  });
  await pause((seconds ?? 10) * 1_000);
  const strips = await page.evaluate(
    () => [...document.querySelectorAll('[data-strip]')].filter((strip) => strip.clientWidth > 0).length,
  );
  return { strips, ...summary(await page.evaluate(() => benchFrames)) };
});
