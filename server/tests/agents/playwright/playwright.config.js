const { RP_ENDPOINT, RP_KEY } = process.env;

module.exports = {
  retries: 1,
  reporter: [
    [
      '@reportportal/agent-js-playwright',
      { apiKey: RP_KEY, endpoint: RP_ENDPOINT, project: 'agents', launch: 'playwright', includeTestSteps: false },
    ],
  ],
};
