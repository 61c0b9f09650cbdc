import { defineConfig } from '@playwright/test';

/** Without these Chromium calls home at its start, and fills the log where it cannot. */
const quiet = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];

/** Containers and build machines have neither user namespaces nor a graphics card. */
const plain = ['--no-sandbox', '--disable-gpu'];

export default defineConfig({
  testDir: './tests',
  outputDir: '../target/e2e',
  // Each test starts a server of its own; two at a time would measure each other.
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env.CI === 'true',
  retries: 0,
  // Bounds, not measurements: a busy build machine may take its time.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list'], ['json', { outputFile: '../target/e2e.json' }]],
  use: {
    launchOptions: {
      executablePath: process.env.HOLTER_CHROMIUM ?? '/usr/bin/chromium',
      args: [...plain, ...quiet],
    },
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
});
