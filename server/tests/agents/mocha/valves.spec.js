describe('valves', () => {
  it('opens', () => {});
  it('shuts', () => {});
  it('holds', () => {
    throw new Error('the pressure fell');
  });
  it.skip('vents', () => {});
});
