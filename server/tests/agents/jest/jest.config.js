const { RP_ENDPOINT, RP_KEY } = process.env;

module.exports = {
  reporters: [
    [
      '@reportportal/agent-js-jest',
      { apiKey: RP_KEY, endpoint: RP_ENDPOINT, project: 'agents', launch: 'jest', logLaunchLink: false },
    ],
  ],
};
