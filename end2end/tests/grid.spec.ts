import { accessible, expect, open, test, tile } from '../fixtures/test';
import { Rig } from '../fixtures/rig';

test('an empty grid says how to point a listener at it, and fills by itself', async ({ page, holter }) => {
  await open(page, holter.url);
  const empty = page.locator('[data-test="empty"]');
  await expect(empty).toContainText('holter_robot.py');
  await expect(empty).toContainText(holter.url);
  await accessible(page);

  await new Rig(holter, 'bench-1').start().begin('opens under pressure').say();
  await expect(tile(page, 'bench-1').locator('[data-test="test"]')).toContainText('opens under pressure');
  await expect(empty).toHaveCount(0);
});

test('counts, progress and activity follow the events', async ({ page, holter }) => {
  const rig = new Rig(holter, 'bench-1');
  await rig.plan(['a', 'b', 'c', 'd', 'e']).start({ name: 'nightly', branch: 'main' }).passes('a').say();
  await open(page, holter.url);
  const row = tile(page, 'bench-1');
  await expect(row).toHaveAttribute('data-activity', 'running');
  await expect(row.locator('[data-test="progress-done"]')).toContainText('1/5');
  await expect(row.locator('[data-test="progress-percent"]')).toContainText('20');

  await rig.fails('b').flakes('c').say();
  await expect(row.locator('[data-test="counts-failed"]')).toContainText('1');
  await expect(row.locator('[data-test="counts-flaky"]')).toContainText('1');
  await expect(row.locator('[data-test="progress-percent"]')).toContainText('60');

  await rig.passes('d', 'e').end().say();
  await expect(row).toHaveAttribute('data-activity', 'idle');
  await expect(row).toHaveAttribute('data-result', 'failed');
  await accessible(page);
});

test('timers tick without a word from the server', async ({ page, holter }) => {
  await new Rig(holter, 'bench-1').start().begin('holds for an hour').say();
  await open(page, holter.url);
  const timer = tile(page, 'bench-1').locator('[data-test="test-timer"]');
  const first = await timer.textContent();
  await expect(timer).not.toHaveText(first ?? '');
});

test('a server that goes is noticed, and so is its return', async ({ page, holter }) => {
  const rig = new Rig(holter, 'bench-1');
  await rig.start().begin('before').say();
  await open(page, holter.url);
  await expect(tile(page, 'bench-1').locator('[data-test="test"]')).toContainText('before');

  expect(await holter.stop()).toBe(0);
  await expect(page.locator('[data-test="stale-banner"]')).toBeVisible();
  await holter.start();
  await rig.finish('before', 'passed').begin('after').sayWhenBack();
  await expect(tile(page, 'bench-1').locator('[data-test="test"]')).toContainText('after', { timeout: 30_000 });
  await expect(page.locator('[data-test="stale-banner"]')).toBeHidden();
});

test('sick first, found by a word, kept in the address', async ({ page, holter }) => {
  await new Rig(holter, 'anna').start().passes('a').end().say();
  await new Rig(holter, 'berta').start().fails('b').end().say();
  await new Rig(holter, 'cora').start().flakes('c').end().say();
  await open(page, `${holter.url}/?order=sick`);
  const names = () => page.locator('[data-test="tile"]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-setup')));
  await expect.poll(names).toEqual(['berta', 'cora', 'anna']);
  await page.locator('[data-test="order-name"]').click();
  await expect.poll(names).toEqual(['anna', 'berta', 'cora']);

  await page.keyboard.press('/');
  await expect(page.locator('[data-test="filter"]')).toBeFocused();
  await page.keyboard.type('cor');
  await expect.poll(names).toEqual(['cora']);
  await expect(page).toHaveURL(/q=cor/);
  await page.reload();
  await expect.poll(names).toEqual(['cora']);
});

test('the grid is readable without JavaScript', async ({ browser, holter }) => {
  await new Rig(holter, 'bench-1').plan(['a', 'b']).start().passes('a').begin('b').say();
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(holter.url);
  const row = tile(page, 'bench-1');
  await expect(row.locator('[data-test="test"]')).toContainText('b');
  await expect(row.locator('[data-test="progress-done"]')).toContainText('1/2');
  await context.close();
});

test('five hundred setups stay a page', async ({ page, holter }) => {
  for (let n = 0; n < 500; n += 1) {
    await new Rig(holter, `bench-${String(n).padStart(3, '0')}`).start().passes('a').say();
  }
  await open(page, holter.url);
  await expect(page.locator('[data-test="tile"]')).toHaveCount(500);
  await page.locator('[data-test="filter"]').fill('bench-499');
  await expect(page.locator('[data-test="tile"]')).toHaveCount(1);
});

test('the pages load nothing from anywhere else, and policy forbids it', async ({ page, holter }) => {
  const origins = new Set<string>();
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  const answer = await page.goto(holter.url);
  await page.waitForLoadState('load');
  const policy = answer!.headers()['content-security-policy'];
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe-inline');
  for (const address of ['/docs', '/redoc', '/wall']) {
    await page.goto(holter.url + address);
  }
  expect([...origins]).toEqual([holter.url]);
});
