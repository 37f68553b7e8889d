import { describe, expect, it } from 'vitest';
import { parsePlanner } from './search';

describe('the address of the planner', () => {
  it('keeps what is not usual', () => {
    expect(parsePlanner({ add: '3', growth: 20, patience: '10', plan: 'p-abc2' })).toMatchObject({
      add: 3,
      growth: 20,
      patience: undefined,
      plan: 'p-abc2',
    });
  });
  it('holds dials within their range', () => {
    expect(parsePlanner({ add: 99, patience: -5, growth: 'x', cap: '' })).toMatchObject({
      add: 8,
      patience: 0,
      growth: undefined,
      cap: undefined,
    });
  });
  it('takes ids for nothing else', () => {
    expect(parsePlanner({ plan: '../users', beside: 'p-a' }).plan).toBeUndefined();
    expect(parsePlanner({ plan: 'p-a', beside: 'p-a' }).beside).toBeUndefined();
  });
});
