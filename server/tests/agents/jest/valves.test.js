describe('valves', () => {
  test('opens', () => expect(1).toBe(1));
  test('shuts', () => expect(2).toBe(2));
  test('holds', () => {
    throw new Error('the pressure fell');
  });
  test.skip('vents', () => {});
});
