import { expect, open, test, tile } from '../fixtures/test';
import { Rig } from '../fixtures/rig';

const screens = [
  { width: 390, height: 844 },
  { width: 1366, height: 768 },
  { width: 1920, height: 1080 },
  { width: 3840, height: 2160 },
];

for (const setups of [1, 5, 60, 200]) {
  test(`${setups} setups fill any screen without a scroll bar`, async ({ page, holter }) => {
    for (let n = 0; n < setups; n += 1) {
      await new Rig(holter, `bench-${n}`).plan(['a', 'b', 'c']).start().passes('a').begin('b').say();
    }
    for (const viewport of screens) {
      await page.setViewportSize(viewport);
      await open(page, `${holter.url}/wall`);
      await expect(tile(page, 'bench-0')).toBeVisible();
      const spills = await page.evaluate(() => {
        const root = document.documentElement;
        return root.scrollWidth > root.clientWidth || root.scrollHeight > root.clientHeight;
      });
      expect(spills, `${viewport.width}x${viewport.height}`).toBe(false);
      await expect(page.locator('[data-test="clock"]')).toBeVisible();
    }
  });
}

test('the wall is live', async ({ page, holter }) => {
  const rig = new Rig(holter, 'bench-1');
  await rig.start().begin('a').say();
  await open(page, `${holter.url}/wall`);
  await expect(tile(page, 'bench-1')).toHaveAttribute('data-activity', 'running');
  await rig.finish('a', 'failed').end().say();
  await expect(tile(page, 'bench-1')).toHaveAttribute('data-result', 'failed');
});
