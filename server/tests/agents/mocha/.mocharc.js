const { RP_ENDPOINT, RP_KEY } = process.env;

module.exports = {
  spec: ['*.spec.js'],
  reporter: '@reportportal/agent-js-mocha',
  'reporter-option': [`endpoint=${RP_ENDPOINT}`, `apiKey=${RP_KEY}`, 'project=agents', 'launch=mocha'],
};
