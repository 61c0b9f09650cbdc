import { accessible, expect, test } from '../fixtures/test';
import { Rig } from '../fixtures/rig';

test('keys walk over the commits of a project', async ({ page, holter }) => {
  for (const [commit, act] of [['c1', 'passes'], ['c2', 'flakes'], ['c3', 'passes'], ['c4', 'fails']] as const) {
    const rig = new Rig(holter, 'bench-1', commit).start({ commit, project: 'pumps' });
    await rig[act]('a').end().say();
  }
  const runs = await (await fetch(`${holter.url}/api/v1/runs`)).json();
  const project = encodeURIComponent(runs.items[0].project);
  await page.goto(`${holter.url}/strip/${project}`);
  await expect(page.locator('.strip-rows a')).toHaveCount(4);
  await page.keyboard.press('n');
  const named = page.locator('[data-test="strip-named"]');
  await expect(named).toContainText('c2');
  await page.keyboard.press('n');
  await expect(named).toContainText('c4');
  const stood = page.locator('[data-test="as-of-tile"]');
  await expect(stood).toHaveAttribute('data-result', 'failed');
  await page.keyboard.press('Home');
  await expect(named).toContainText('c1');
  await expect(stood).toHaveAttribute('data-result', 'passed');
  await page.keyboard.press('Space');
  await expect(named).toContainText('c3');
  await accessible(page);
  await page.goto(`${holter.url}/projects/${project}`);
  await expect(page.locator('[data-test="project-setups"]')).toContainText('bench-1');
  await accessible(page);
});

test('settings of walls are well kept', async ({ page, holter }) => {
  await page.goto(`${holter.url}/settings/walls`);
  await accessible(page);
});

test('the art page beats, and says what it shows', async ({ page, holter }) => {
  await new Rig(holter, 'bench-1').start().fails('a').end().say();
  await page.goto(`${holter.url}/art?status=${encodeURIComponent('/status')}`);
  await expect(page.getByRole('status')).toHaveText('failing');
  const isDrawn = () =>
    page.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value > 0);
    });
  await expect.poll(isDrawn).toBe(true);
  await accessible(page);
});
