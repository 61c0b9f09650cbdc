import { accessible, expect, open, test, tile } from '../fixtures/test';
import { Rig } from '../fixtures/rig';

const script = ['*** Test Cases ***', 'opens', '    Open Valve', 'closes', '    Close Valve'].join('\n');

test('a run shows its tree, its failures and why', async ({ page, holter }) => {
  const rig = new Rig(holter, 'bench-1', 'nightly-42');
  await rig.plan(['opens', 'closes', 'leaks'], 'Pumps', script).start({ commit: 'c0ffee', branch: 'main' }).say();
  await rig.begin('opens', undefined, { source: 'Pumps.robot', line: 2 }).finish('opens', 'passed').say();
  await rig.fails('leaks', 'lost 3 % in an hour <b>bold</b>').flakes('closes').end().say();
  const [run] = (await holter.get('/api/v1/runs')).items;
  expect(run.result).toBe('failed');
  await open(page, `${holter.url}/runs/${run.id}`);

  await expect(page.locator('main')).toContainText('c0ffee');
  await expect(page.locator('[data-test="counts-failed"]').first()).toContainText('1');
  const failed = page.locator('[data-test="test-row"][data-outcome="failed"]');
  await expect(failed).toHaveCount(1);
  await expect(failed.locator('[data-test="message"]')).toContainText('lost 3 % in an hour <b>bold</b>');
  await expect(page.locator('[data-test="test-row"][data-outcome="flaky"]')).toHaveCount(1);
  await accessible(page);
});

test('a run is live, and what it ends with is what it came to', async ({ page, holter }) => {
  const rig = new Rig(holter, 'bench-1');
  await rig.plan(['a', 'b', 'c']).start().begin('a').say();
  const [run] = (await holter.get('/api/v1/runs')).items;
  await open(page, `${holter.url}/runs/${run.id}`);
  await expect(page.locator('[data-test="test-row"][data-outcome="running"]')).toHaveCount(1);
  await rig.finish('a', 'passed').fails('b').say();
  await expect(page.locator('[data-test="test-row"][data-outcome="failed"]')).toHaveCount(1);
  await rig.end({ aborted: true }).say();
  await expect(page.locator('[data-test="test-row"][data-outcome="cancelled"]')).toHaveCount(1);
  await expect(page.locator('[data-test="result"]').first()).toContainText(/failed/i);
});

test('a setup shows its current run and its past ones', async ({ page, holter }) => {
  for (const key of ['one', 'two', 'three']) {
    await new Rig(holter, 'bench/7 ä', key).start().passes('a').end().say();
  }
  const rig = new Rig(holter, 'bench/7 ä', 'four');
  await rig.start().begin('is watched').say();
  await open(page, `${holter.url}/setups/${encodeURIComponent('bench/7 ä')}`);
  await expect(page.locator('[data-test="run-line"]')).toHaveCount(4);
  await expect(page.locator('[data-test="test-row"][data-outcome="running"]')).toContainText('is watched');
  await rig.finish('is watched', 'failed').say();
  await expect(page.locator('[data-test="test-row"][data-outcome="failed"]')).toHaveCount(1);
  await accessible(page);
});

test('what does not exist is a page that says so', async ({ page, holter }) => {
  for (const address of ['/nothing', '/setups/nobody', '/runs/00000000-0000-0000-0000-000000000000', '/runs/x']) {
    const answer = await page.goto(holter.url + address);
    expect(answer!.status(), address).toBe(404);
    await expect(page.locator('[data-test="not-found"]')).toBeVisible();
  }
});

test('keys lead from the grid to a run and back', async ({ page, holter }) => {
  await new Rig(holter, 'bench-1').start().passes('a').end().say();
  await open(page, holter.url);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/setups\/bench-1/);
  await page.keyboard.press('g');
  await expect(tile(page, 'bench-1')).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.locator('[data-test="help"]')).toBeVisible();
});
