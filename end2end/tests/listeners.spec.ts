import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Holter } from '../fixtures/server';
import { expect, open, test, tile } from '../fixtures/test';

const examples = join(import.meta.dirname, '../../listeners/examples');

/** A folder with the examples and the listeners as the server hands them out. */
async function workplace(holter: Holter): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'holter-bench-'));
  cpSync(examples, folder, { recursive: true });
  for (const name of ['holter_robot.py', 'holter_pytest.py']) {
    const answer = await fetch(`${holter.url}/listeners/${name}`);
    writeFileSync(join(folder, name), await answer.text());
  }
  return folder;
}

/** Runs Python there, and returns its exit status. */
function python(holter: Holter, folder: string, args: string[], more: Record<string, string>): Promise<number | null> {
  const python = process.env.HOLTER_PYTHON;
  if (!python) throw new Error('HOLTER_PYTHON must name a Python with robot and pytest');
  const env = { ...process.env, HOLTER_URL: holter.url, HOLTER_SPOOL_DIR: join(folder, 'spool'), PYTHONPATH: folder, ...more };
  const child = spawn(python, args, { cwd: folder, env, stdio: 'ignore' });
  return new Promise((done) => child.once('exit', done));
}

test('a Robot run of 60 tests is watched to its end, over a restart of the server', async ({ page, holter }) => {
  test.setTimeout(120_000);
  const folder = await workplace(holter);
  await open(page, holter.url);
  const robot = ['-m', 'robot', '--output', 'NONE', '--listener', 'holter_robot.py', '--variable', 'PACE:0.5', 'bench'];
  const ended = python(holter, folder, robot, { HOLTER_SETUP: 'bench-robot', HOLTER_RUN: '', HOLTER_EXIT_WAIT: '5' });

  const row = tile(page, 'bench-robot');
  await expect(row.locator('[data-test="progress-done"]')).toContainText('/60');
  const done = async () => Number((await row.locator('[data-test="progress-done"]').textContent())?.split('/')[0]);
  await expect.poll(done, { timeout: 30_000 }).toBeGreaterThan(10);
  await holter.stop();
  await expect(page.locator('[data-test="stale-banner"]')).toBeVisible();
  await holter.start();
  expect(await ended).toBe(4);

  const finished = async () => (await holter.get('/api/v1/runs?setup=bench-robot')).items[0];
  await expect.poll(async () => (await finished()).state, { timeout: 30_000 }).toBe('finished');
  const run = await finished();
  expect(run.counts).toMatchObject({ planned: 60, passed: 53, failed: 4, skipped: 3, waiting: 0, running: 0, lost: 0 });
  await expect(row).toHaveAttribute('data-result', 'failed', { timeout: 30_000 });
  await expect(row.locator('[data-test="counts-failed"]')).toContainText('4');
  rmSync(folder, { recursive: true, force: true });
});

test('a pytest run arrives with every count right', async ({ page, holter }) => {
  test.setTimeout(90_000);
  const folder = await workplace(holter);
  await open(page, holter.url);
  const args = ['-m', 'pytest', '-q', '-p', 'holter_pytest', '-p', 'no:cacheprovider', 'test_sample.py'];
  expect(await python(holter, folder, args, { HOLTER_SETUP: 'bench-pytest', HOLTER_EXIT_WAIT: '5' })).toBe(1);
  await expect(tile(page, 'bench-pytest')).toHaveAttribute('data-result', 'failed');
  const run = (await holter.get('/api/v1/runs?setup=bench-pytest')).items[0];
  expect(run.counts).toMatchObject({ planned: 20, passed: 15, failed: 2, skipped: 3 });
  rmSync(folder, { recursive: true, force: true });
});
