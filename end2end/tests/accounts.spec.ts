import type { Page } from '@playwright/test';
import { accessible, expect, test } from '../fixtures/test';
import type { Holter } from '../fixtures/server';

/** Makes the first account by its link, in this browser. */
async function signIn(page: Page, holter: Holter): Promise<void> {
  const link = new URL(holter.command('user', 'create', 'ana'), holter.url);
  await page.goto(holter.url + link.pathname + link.search);
  await page.locator('input[name="password"]').fill('four plain words here');
  await page.locator('[data-test="set-password"]').click();
  await page.waitForURL(`${holter.url}/`);
}

/** Something to see on each page. */
async function furnish(page: Page, holter: Holter): Promise<void> {
  const fill = async (path: string, fields: Record<string, string>, form: string) => {
    await page.goto(holter.url + path);
    for (const [name, value] of Object.entries(fields)) await page.locator(`${form} [name="${name}"]`).fill(value);
    await page.locator(`${form} button`).click();
  };
  await fill('/settings/people', { name: 'bo', email: 'bo@example.org', grants: 'pumps: engineer' }, '[data-test="invite"]');
  await fill('/settings/tokens', { label: 'nightly on bench 7', days: '30' }, '[data-test="token-form"]');
  await fill('/settings/notifications', { name: 'team', url: 'https://chat.example/hook' }, '[data-test="channel-form"]');
  await fill('/settings/walls', { name: 'lobby' }, '[data-test="wall-form"]');
  const form = new FormData();
  form.set('name', 'Kim');
  form.set('files', new Blob(['echo 1..1\necho ok 1 - opens\n']), 'pump.sh');
  expect((await fetch(`${holter.url}/api/v1/batches`, { method: 'POST', body: form })).status).toBe(201);
}

const pages = ['/login', '/password-reset', '/settings/account', '/settings/people', '/settings/tokens', '/settings/audit',
  '/settings/notifications', '/settings/walls', '/batches', '/batches/new', '/builds', '/workers',
  '/plan', '/settings/schedules', '/settings/repositories', '/settings/reservations'];

for (const colorScheme of ['light', 'dark'] as const) {
  test(`pages of accounts, settings and jobs keep nobody out (${colorScheme})`, async ({ page, holter }) => {
    // Some forty pages, each looked at by axe.
    test.slow();
    await page.emulateMedia({ colorScheme });
    await holter.stop();
    await holter.start('[outgoing]\nallowed_hosts = ["chat.example"]\n');
    await page.goto(`${holter.url}/login`);
    await accessible(page);
    await signIn(page, holter);
    for (const path of pages) {
      await page.goto(holter.url + path);
      await accessible(page);
    }
    await furnish(page, holter);
    for (const path of [...pages, '/settings/notifications/team', '/settings/walls/lobby']) {
      await page.goto(holter.url + path);
      await accessible(page);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width, `${path} is as wide as its window`).toBeLessThanOrEqual(page.viewportSize()!.width);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of pages) {
      await page.goto(holter.url + path);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width, `${path} fits a phone`).toBeLessThanOrEqual(390);
    }
  });
}
