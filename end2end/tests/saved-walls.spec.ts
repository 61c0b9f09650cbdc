import { expect, open, test, tile } from '../fixtures/test';
import { Rig } from '../fixtures/rig';
import type { Page } from '@playwright/test';

async function save(page: Page, url: string, fields: Record<string, string | boolean>) {
  await page.goto(`${url}/settings/walls`);
  const form = page.locator('[data-test="wall-form"]');
  for (const [name, value] of Object.entries(fields)) {
    const field = form.locator(`[name="${name}"]`);
    if (value === true) await field.check();
    else if (name === 'theme' || name === 'palette') await field.selectOption(String(value));
    else await field.fill(String(value));
  }
  await page.locator('[data-test="save-wall"]').click();
}

test('a wall is made on a page and shows what it was told to', async ({ page, holter }) => {
  await new Rig(holter, 'bench-1').start().passes('a').end().say();
  await new Rig(holter, 'press-1').start().passes('a').end().say();
  await save(page, holter.url, { name: 'lobby', title: 'The lobby', setups: 'bench-*', theme: 'dark', palette: 'colour-blind' });
  await expect(page).toHaveURL(`${holter.url}/wall/lobby`);
  await expect(tile(page, 'bench-1')).toBeVisible();
  await expect(tile(page, 'press-1')).toHaveCount(0);
  await expect(page.locator('h1')).toContainText('The lobby');
  const wall = page.locator('[data-test="wall"]');
  await expect(wall).toHaveAttribute('data-palette', 'colour-blind');
  await expect(wall).toHaveCSS('color-scheme', 'dark');
});

test('a mistake in the form is said, and what was typed stays', async ({ page, holter }) => {
  await save(page, holter.url, { name: 'lobby', title: 'The lobby', tiles: '0' });
  await expect(page.locator('[data-test="refused"]')).toContainText('must be between 1 and 500');
  await expect(page.locator('[name="title"]')).toHaveValue('The lobby');
});

test('a calm wall says that all is well', async ({ page, holter }) => {
  const rig = new Rig(holter, 'bench-1');
  await rig.start().passes('a').end().say();
  await save(page, holter.url, { name: 'sick', only_sick: true });
  await open(page, `${holter.url}/wall/sick`);
  await expect(page.locator('[data-test="all-well"]')).toContainText('1 setup, none of them ill');
  await new Rig(holter, 'bench-2').start().finish('b', 'failed').end().say();
  await expect(tile(page, 'bench-2')).toBeVisible();
  await expect(tile(page, 'bench-1')).toHaveCount(0);
});

test('pages take turns, and a new failure stays until somebody was there', async ({ page, holter }) => {
  for (let n = 1; n <= 6; n += 1) await new Rig(holter, `bench-${n}`).start().passes('a').end().say();
  await save(page, holter.url, { name: 'turns', tiles: '2', rotate_seconds: '5', by_name: true });
  await open(page, `${holter.url}/wall/turns`);
  const pages = page.locator('[data-test="wall-pages"]');
  await expect(pages).toContainText('of 3');
  await expect(page.locator('[data-test="tile"]')).toHaveCount(2);
  const first = await pages.textContent();
  await expect(pages).not.toHaveText(first ?? '', { timeout: 15_000 });
  await new Rig(holter, 'bench-6', '2').start().finish('a', 'failed').end().say();
  await expect(pages).toHaveAttribute('data-held', 'true');
  await expect(tile(page, 'bench-6')).toBeVisible();
  await page.keyboard.press('Shift');
  await expect(pages).toHaveAttribute('data-held', 'false');
});

test('who looks after a setup stands on the wall', async ({ page, holter, context }) => {
  await new Rig(holter, 'bench-1').start().finish('a', 'failed').end().say();
  const wall = await context.newPage();
  await open(wall, `${holter.url}/wall`);
  await open(page, `${holter.url}/setups/bench-1`);
  await page.locator('[data-test="claim-holder"]').fill('Kim');
  await page.locator('[data-test="claim-note"]').fill('the cable');
  await page.locator('[data-test="claim-take"]').click();
  await expect(page.locator('[data-test="claim"]')).toContainText('Kim looks after it');
  await expect(tile(wall, 'bench-1').locator('[data-test="claim"]')).toContainText('Kim');
  await page.locator('[data-test="claim-let-go"]').click();
  await expect(tile(wall, 'bench-1').locator('[data-test="claim"]')).toBeHidden();
});

test('a link that was taken back is a clear page', async ({ page, holter }) => {
  await save(page, holter.url, { name: 'lobby' });
  await page.goto(`${holter.url}/settings/walls/lobby`);
  await page.locator('[data-test="make-link"]').click();
  const link = page.locator('[data-test="kiosk-link"] a');
  const address = (await link.getAttribute('href')) ?? '';
  await page.goto(holter.url + address);
  await expect(page.locator('[data-test="wall"]')).toBeVisible();
  await page.goto(`${holter.url}/settings/walls/lobby`);
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.goto(holter.url + address);
  await expect(page.locator('[data-test="problem"]')).toContainText('was revoked');
});
