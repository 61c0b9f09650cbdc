import type { Page } from '@playwright/test';
import { accessible, expect, open, test, tile } from '../fixtures/test';
import { Rig } from '../fixtures/rig';

const strip = (page: Page, setup: string) => tile(page, setup).locator('[data-test="strip"]');

/** A bench that is at work on the wall, with the strip running. */
async function atWork(page: Page, holter: { url: string }, rig: Rig) {
  await rig.plan(['a', 'b', 'c', 'd']).start().passes('b').begin('c').say();
  await open(page, `${holter.url}/wall`);
  await expect.poll(() => ink(page)).toBeGreaterThan(100);
  return strip(page, rig.setup);
}

/** How many pixels of the canvas are drawn on. */
const ink = (page: Page) =>
  page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('canvas.strips')!;
    if (canvas.width === 0) return 0;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value, at) => sum + (at % 4 === 3 && value > 0 ? 1 : 0), 0);
  });

/** Whether the canvas shows something else after so many frames. */
const moves = (page: Page, frames = 40) =>
  page.evaluate(async (frames) => {
    const canvas = document.querySelector<HTMLCanvasElement>('canvas.strips')!;
    const before = canvas.toDataURL();
    for (let frame = 0; frame < frames; frame += 1) await new Promise(requestAnimationFrame);
    return canvas.toDataURL() !== before;
  }, frames);

/** In the page: when an attribute of the strip first has a value. */
const noteWhen = (page: Page, name: string, value: string) =>
  page.evaluate(
    ([name, value]) => {
      const look = () => {
        const found = document.querySelector(`[data-strip][${name}="${value}"]`);
        if (found) (globalThis as any).notedAt ??= Date.now();
      };
      new MutationObserver(look).observe(document, { subtree: true, attributes: true });
    },
    [name, value],
  );

test('a test that fails and then passes is one ectopic beat within three seconds', async ({ page, holter }) => {
  const rig = new Rig(holter, 'bench-1');
  const beats = await atWork(page, holter, rig);
  await expect(beats).toHaveAttribute('data-ectopic', '0');
  await noteWhen(page, 'data-ectopic', '1');
  await rig.flakes('a').say();
  const told = Date.now();
  await expect(beats).toHaveAttribute('data-ectopic', '1');
  const noted = await page.evaluate(() => (globalThis as any).notedAt);
  expect(noted - told).toBeLessThan(3_000);
  await expect(beats).toHaveAttribute('aria-label', /1 flaky result in 1 minute \(a\)/);
  await expect(beats).toHaveAttribute('data-dropped', '0');
  // Another result later, and it is still the one beat beside the new one.
  await rig.flakes('d').say();
  await expect(beats).toHaveAttribute('data-ectopic', '2');
});

test('a failure is one dropped beat', async ({ page, holter }) => {
  const rig = new Rig(holter, 'bench-1');
  const beats = await atWork(page, holter, rig);
  await rig.fails('a').begin('d').say();
  await expect(beats).toHaveAttribute('data-dropped', '1');
  await expect(beats).toHaveAttribute('data-ectopic', '0');
});

test('a beat is named under the pointer, with a way to its run', async ({ page, holter }) => {
  const rig = new Rig(holter, 'bench-1');
  const beats = await atWork(page, holter, rig);
  const box = (await beats.boundingBox())!;
  const card = page.locator('[data-test="beat"]');
  let told = 0;
  // The sweep takes a beat away again within seconds: a slow machine needs another one.
  await expect(async () => {
    told += 1;
    await rig.flakes(`a${told}`).say();
    await expect(beats).toHaveAttribute('data-ectopic', `${told}`);
    for (let x = box.x + 4; x < box.x + box.width; x += 16) {
      await page.mouse.move(x, box.y + box.height / 2);
      if (await card.isVisible()) return;
    }
    throw new Error('no beat answers');
  }).toPass();
  await expect(card).toContainText(/a\d/);
  await expect(card).toContainText('Flaky: failed, then passed (attempt 2)');
  await expect(card.locator('a')).toHaveAttribute('href', /^\/runs\/.+#t-\d+$/);
  await accessible(page);
  await page.keyboard.press('Escape');
  await expect(card).toBeHidden();
});

test('strips pause, by button and by key, and remember it', async ({ page, holter }) => {
  await atWork(page, holter, new Rig(holter, 'bench-1'));
  const button = page.locator('[data-test="pause"]');
  expect(await moves(page)).toBe(true);
  await button.click();
  await expect(button).toHaveAttribute('aria-pressed', 'true');
  await expect.poll(() => moves(page)).toBe(false);
  await open(page, `${holter.url}/`);
  await expect(button).toHaveAttribute('aria-pressed', 'true');
  await expect.poll(() => ink(page)).toBeGreaterThan(100);
  await expect.poll(() => moves(page)).toBe(false);
  await page.keyboard.press('p');
  await expect(button).toHaveAttribute('aria-pressed', 'false');
  await expect.poll(() => moves(page)).toBe(true);
});

test('who asked for less motion sees strips that stand still', async ({ page, holter }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const rig = new Rig(holter, 'bench-1');
  const beats = await atWork(page, holter, rig);
  await expect.poll(() => moves(page, 60)).toBe(false);
  await rig.flakes('a').say();
  await expect(beats).toHaveAttribute('data-ectopic', '1');
});

for (const address of ['/', '/wall', '/setups/bench-1']) {
  test(`${address} with strips keeps nobody out`, async ({ page, holter }) => {
    const rig = new Rig(holter, 'bench-1');
    await atWork(page, holter, rig);
    await rig.flakes('a').fails('d').begin('c').say();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await open(page, holter.url + address);
      await expect(page.locator('[data-test="strip"]').first()).toHaveAttribute('aria-label', /^Setup bench-1: /);
      await accessible(page);
    }
  });
}
