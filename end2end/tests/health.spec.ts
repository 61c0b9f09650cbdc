import { accessible, expect, open, test } from '../fixtures/test';
import { Rig } from '../fixtures/rig';

const runs = 8;

test('a flaky test is listed with its reasons, and leads to its history', async ({ page, holter }) => {
  for (let number = 0; number < runs; number += 1) {
    const rig = new Rig(holter, 'bench-1', `run-${number}`).start({ commit: `c${number}`, branch: 'main' });
    await (number % 3 === 1 ? rig.flakes('leaks') : rig.passes('leaks')).passes('opens').fails('jams').end().say();
  }
  await open(page, `${holter.url}/flaky`);
  const listed = page.locator('[data-test="sick-test"]');
  await expect(listed).toHaveCount(2);
  await expect(listed.filter({ hasText: 'leaks' })).toHaveAttribute('data-label', 'flaky');
  await expect(listed.filter({ hasText: 'jams' })).toHaveAttribute('data-label', 'broken');
  await accessible(page);

  await page.locator('[data-test="show-flaky"]').click();
  await expect(page).toHaveURL(/label=flaky/);
  await expect(listed).toHaveCount(1);
  await listed.locator('a').first().click();
  await expect(page.locator('h1')).toHaveText('leaks');
  await expect(page.locator('[data-test="on-setup"]')).toContainText('Failed and passed again within one run 3 times');
  await expect(page.locator('[data-test="result-row"]')).toHaveCount(runs);
  await expect(page.locator('[data-test="tape"] path[data-outcome="flaky"]')).toHaveCount(3);
  await accessible(page);
});

test('where nothing is ill the list says so, and no test is a page too', async ({ page, holter }) => {
  await open(page, `${holter.url}/flaky`);
  await expect(page.locator('main')).toContainText('Nothing to worry about');
  const answer = await page.goto(`${holter.url}/tests/00000000-0000-0000-0000-000000000000`);
  expect(answer!.status()).toBe(404);
  await expect(page.locator('[data-test="not-found"]')).toBeVisible();
});

test('the list of ill tests comes as CSV, and no name becomes a formula', async ({ holter }) => {
  for (let number = 0; number < 4; number += 1) {
    await new Rig(holter, 'bench-1', `run-${number}`).start().flakes('=1+1').end().say();
  }
  const answer = await fetch(`${holter.url}/api/v1/flaky.csv`);
  expect(answer.headers.get('content-type')).toContain('text/csv');
  const [names, line] = (await answer.text()).trim().split('\r\n');
  expect(names).toContain('test,suite,setup');
  expect(line).toMatch(/^"'=1\+1",/);
});
